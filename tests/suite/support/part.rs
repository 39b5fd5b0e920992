//! Parts: other roles of this test program, for processes that a test starts, such as a process to kill, a
//! socket holder or a component. No part is a test. Each part is next to the tests that use it.

use std::process::Command;

use cki::host::Host;

/// Names the part that a process plays.
pub(crate) const PART: &str = "CKI_TEST_PART";

/// This program, to play a part.
pub(crate) fn command(part: &str) -> Command {
    let mut command = Command::new(Host::real().executable);
    command.env(PART, part);
    command
}

#[used]
#[expect(unsafe_code, reason = "the C library calls what is in this section before `main`")]
#[unsafe(link_section = ".init_array")]
static BEGIN: extern "C" fn() = begin;

extern "C" fn begin() {
    let env = Host::real().env;
    let Some(part) = env.get(PART) else { return };
    match part {
        "proxy" => super::proxy::part(),
        "native" => crate::native::part(),
        "clone until killed" => crate::git::clone_until_killed(),
        "hold podman service" => crate::engine::hold_podman_service(),
        "block all threads" => crate::verbs::block_all_threads(),
        "count bytes" => crate::verbs::count_bytes(),
        "hang" => super::limit_test::part(),
        _ => panic!("there is no part `{part}`"),
    }
    end();
}

#[expect(clippy::disallowed_methods, reason = "the test harness is not to begin")]
fn end() -> ! {
    std::process::exit(0)
}
