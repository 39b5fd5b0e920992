//! The error of a build that an engine refused at a step: a base image that cannot be pulled is a failed pull. The kinds
//! of errors are in `error`.

use super::build_lines::BuildStep;
use super::error::EngineError;

/// Returns the error of a build of the image `tag`.
pub(super) fn of_refusal(
    tag: &str,
    step: Option<&BuildStep>,
    program: &'static str,
    message: String,
    last: Vec<String>,
) -> EngineError {
    let Some(base) = step.and_then(|step| base_image(&step.instruction)) else {
        let step = step.map(ToString::to_string);
        return EngineError::BuildFailed { tag: tag.to_owned(), step, message, last };
    };
    match EngineError::pull(base, program, message) {
        EngineError::PullFailed { image, program, cause, message, .. } => {
            EngineError::PullFailed { image, built: Some(tag.to_owned()), program, cause, message }
        }
        other => other,
    }
}

/// Returns the image of an instruction `FROM`, unless it is a variable that the engine replaces.
fn base_image(instruction: &str) -> Option<&str> {
    let mut words = instruction.split_whitespace();
    words.next().filter(|word| word.eq_ignore_ascii_case("FROM"))?;
    words.find(|word| !word.starts_with("--")).filter(|image| !image.contains('$'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::engine::message::PullCause;

    #[test]
    fn build_that_lacks_its_base_image_is_a_failed_pull() {
        let refused = |instruction: &str| {
            let step = BuildStep { number: 1, of: 2, instruction: instruction.into() };
            of_refusal("a:1", Some(&step), "docker", "lookup quay.io: no such host".into(), Vec::new())
        };
        let error = refused("FROM --platform=linux/amd64 quay.io/x:1 AS y");
        assert_eq!(
            error.to_string(),
            "image `quay.io/x:1` cannot be pulled to build `a:1`: lookup quay.io: no such host"
        );
        assert!(matches!(error, EngineError::PullFailed { cause: PullCause::Unreachable, .. }));
        for other in ["RUN curl quay.io", "FROM $BASE", ""] {
            assert!(matches!(refused(other), EngineError::BuildFailed { .. }), "{other}");
        }
    }
}
