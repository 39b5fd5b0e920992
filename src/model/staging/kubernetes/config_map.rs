//! ConfigMaps of a release, as they are in the files; rules for values apply by their keys.

use serde_json::Value;

use super::releasing::Releasing;

/// Changes a ConfigMap for the release.
pub(super) fn release(map: &mut Value, releasing: &Releasing<'_>) {
    let entries = map.get_mut("data").and_then(Value::as_object_mut).into_iter().flatten();
    for (key, value) in entries {
        if let Some(made) = value.as_str().and_then(|text| releasing.rules.value(key, text)) {
            *value = made.into();
        }
    }
}
