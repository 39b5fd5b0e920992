//! Values that a deployment sets, and what they say about the needs of a component: the hosts that they name, and
//! whether they answer for a backing service. Reading the deployment is up to `ops::draft`.

use std::collections::BTreeMap;

use crate::model::service::ServiceTemplate;

/// Last words of names whose values are addresses.
const ADDRESSES: &[&str] = &[
    "HOST", "HOSTS", "HOSTNAME", "ADDR", "ADDRESS", "SERVER", "SERVERS", "URL", "URLS", "URI", "ENDPOINT",
    "BROKER", "BROKERS", "NODE", "NODES", "TARGET", "UPSTREAM", "DSN", "BUCKET",
];
/// Words that make a variable with the name of a service a switch.
const SWITCHES: &[&str] = &["USE", "ENABLE", "ENABLED", "HAS", "ACTIVE", "WITH"];

/// The variables that a backing service provides.
#[derive(Debug, Clone, Default)]
pub struct ServiceVariables {
    /// Each with the scheme of its URL, if it is one.
    schemes: BTreeMap<String, Option<String>>,
    /// One of them is a login, which only the service and its clients know.
    pub has_login: bool,
}

impl ServiceVariables {
    /// Returns the variables of a template.
    #[must_use]
    pub fn of(template: &ServiceTemplate) -> Self {
        let scheme = |name: &str| template.url_scheme(name).map(str::to_owned);
        let schemes = template.provides().map(|name| (name.to_owned(), scheme(name))).collect();
        Self { schemes, has_login: template.provides_login() }
    }

    /// Returns whether the service provides a variable.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.schemes.contains_key(name)
    }

    /// Returns whether the service can replace the value of a variable: it provides that variable, and a URL keeps its
    /// scheme.
    #[must_use]
    pub fn replaces(&self, name: &str, value: &str) -> bool {
        let provided = self.schemes.get(name);
        provided.is_some_and(|provided| scheme(value).is_none_or(|own| Some(own) == provided.as_deref()))
    }

    /// Returns whether the values of a deployment answer for the service: one of its variables names a host of the
    /// deployment or has a URL of another kind, all its addresses are empty, or a switch turns it off.
    #[must_use]
    pub fn is_answered(&self, service: &str, values: &BTreeMap<String, String>, hosts: &[String]) -> bool {
        let own = || values.iter().filter(|(name, _)| self.contains(name));
        let is_of_other_kind = |name: &str, value: &str| {
            let provided = self.schemes.get(name).and_then(Option::as_deref);
            provided.zip(scheme(value)).is_some_and(|(provided, own)| !is_same_kind(provided, own))
        };
        let mut addresses = own().filter(|(name, _)| is_address(name)).peekable();
        let is_empty = addresses.peek().is_some() && addresses.all(|(_, value)| value.trim().is_empty());
        is_empty
            || own().any(|(name, value)| {
                is_of_other_kind(name, value) || hosts.iter().any(|host| names_host(name, value, host))
            })
            || values.iter().any(|(name, value)| is_switch(name, service) && is_off(value))
    }
}

/// Returns the scheme of a URL.
fn scheme(value: &str) -> Option<&str> {
    let (scheme, _) = value.split_once("://")?;
    scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.:".contains(c)).then_some(scheme)
}

/// Returns whether two schemes mean the same kind of service: `postgresql+asyncpg` and `postgres`, `rediss` and `redis`.
fn is_same_kind(one: &str, other: &str) -> bool {
    let plain = |scheme: &str| {
        let scheme = scheme.strip_prefix("jdbc:").unwrap_or(scheme);
        scheme.split('+').next().unwrap_or(scheme).to_ascii_lowercase()
    };
    let (one, other) = (plain(one), plain(other));
    one.starts_with(&other) || other.starts_with(&one)
}

/// Returns whether a variable is a switch of a service: `USE_S3`, `REDIS_ENABLED`.
fn is_switch(name: &str, service: &str) -> bool {
    let words: Vec<String> = name.split('_').map(str::to_ascii_uppercase).collect();
    words.contains(&service.to_ascii_uppercase())
        && words.iter().any(|word| SWITCHES.contains(&word.as_str()))
}

/// Returns whether the value of a switch turns it off.
fn is_off(value: &str) -> bool {
    ["", "false", "0", "no", "off", "f", "n"].contains(&value.trim().to_ascii_lowercase().as_str())
}

/// Returns whether the name of a variable or setting tells that its value is an address.
fn is_address(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let words = upper.split(|c: char| !c.is_ascii_alphanumeric());
    ADDRESSES.iter().any(|ending| upper.ends_with(ending))
        || words.into_iter().any(|word| word == "HOST" || word == "URL")
}

/// Returns whether the value of a variable or setting names a host: in a URL, with a port, after `@`, as the host in a
/// list of parameters, or alone where the name tells that it is an address.
#[must_use]
pub fn names_host(name: &str, value: &str, host: &str) -> bool {
    let value = value.trim();
    if value == host {
        return is_address(name);
    }
    if ["IMAGE", "VERSION"].iter().any(|word| name.to_ascii_uppercase().contains(word)) {
        return false;
    }
    let mut urls = value.match_indices("://").flat_map(|(at, _)| {
        let rest = &value[at + 3..];
        let authority = rest.split(['/', '?', '#', ' ', '"', '\'']).next().unwrap_or(rest);
        let hosts = authority.rsplit('@').next().unwrap_or(authority);
        hosts.split(',').map(|one| one.split(':').next().unwrap_or(one))
    });
    if urls.any(|one| one == host) {
        return true;
    }
    let items = value.split([',', ';', ' ', '(', ')']).filter(|item| !item.contains("://"));
    let is_port = |text: &str| !text.is_empty() && text.parse::<u16>().is_ok() || text.starts_with('$');
    items.into_iter().any(|item| {
        let (key, item) = item.split_once('=').map_or((None, item), |(key, rest)| (Some(key), rest));
        let item = item.split('/').next().unwrap_or(item);
        let (has_login, item) = item.rsplit_once('@').map_or((false, item), |(_, rest)| (true, rest));
        match item.split_once(':') {
            Some((one, port)) => one == host && is_port(port),
            None => item == host && (has_login || key.is_some_and(is_address)),
        }
    })
}

/// Returns whether a file of settings names a host. Comments do not count.
#[must_use]
pub fn settings_name_host(text: &str, host: &str) -> bool {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with(['#', ';', '!']) && !line.starts_with("//"))
        .any(|line| {
            let at = line.find(['=', ':']);
            let (key, value) = at.map_or(("", line), |at| (&line[..at], &line[at + 1..]));
            let plain = |text: &str| text.trim().trim_end_matches(',').trim_matches(['"', '\'']).to_owned();
            names_host(&plain(key), &plain(value), host)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_name_hosts_of_urls_ports_and_parameters() {
        for (name, value, host, expected) in [
            ("DATABASE_URL", "mysql://root:pw@db:3306/mysql", "db", true),
            ("DATABASE_URL", "postgres://postgres:1234@db/x", "postgres", false),
            ("DATABASE_URL", "postgresql://u:${PW}@db/x?host=a", "db", true),
            ("MONGO", "mongodb://m1:27017,m2:27017/x", "m2", true),
            ("DB", "jdbc:mysql://db/x", "db", true),
            ("POSTGRES_HOST", "taiga-db", "taiga-db", true),
            ("POSTGRES_DB", "taiga", "taiga", false),
            ("POSTGRES_HOST", "taiga-db", "db", false),
            ("KAFKA", "a:9092,b:${PORT}", "b", true),
            ("DSN", "root:pw@tcp(db:3306)/x", "db", true),
            ("DSN", "host=db port=5432", "db", true),
            ("CONNECTION", "Server=db;User Id=db2", "db", true),
            ("CONNECTION", "Server=x;Database=db", "db", false),
            ("BROKER", "user:pw@mq/v", "mq", true),
            ("REDIS_IMAGE", "redis:7", "redis", false),
            ("MODE", "redis:cluster", "redis", false),
        ] {
            assert_eq!(names_host(name, value, host), expected, "{name}={value} {host}");
        }
        let text = "# url=jdbc:postgresql://old:1/x\nspring.datasource.url=jdbc:postgresql://db:5432/x\n\
                    redis.host: cache\nname=web\n";
        for (host, expected) in [("db", true), ("cache", true), ("old", false), ("web", false)] {
            assert_eq!(settings_name_host(text, host), expected, "{host}");
        }
    }

    #[test]
    fn deployment_answers_with_hosts_other_schemes_and_switches() {
        let template = |name: &str, provides: &str| {
            let text = format!("image: x\nprovides: {provides}\n");
            ServiceVariables::of(&ServiceTemplate::read(name, "f", &text).expect("reads"))
        };
        let postgres = template(
            "postgres",
            "{DATABASE_URL: {value: 'postgresql://{{ host }}/x', secret: true}, POSTGRES_HOST: {value: x}}",
        );
        let s3 = template("s3", "{S3_BUCKET: {value: b}, S3_ENDPOINT_URL: {value: 'http://x'}}");
        for (service, of, given, expected) in [
            ("postgres", &postgres, "DATABASE_URL=mysql://root@elsewhere/x", true),
            ("postgres", &postgres, "DATABASE_URL=postgres+asyncpg://elsewhere/x", false),
            ("postgres", &postgres, "DATABASE_URL=postgres://db/x", true),
            ("postgres", &postgres, "POSTGRES_HOST=db", true),
            ("postgres", &postgres, "POSTGRES_HOST=elsewhere", false),
            ("postgres", &postgres, "LOG_LEVEL=", false),
            ("s3", &s3, "S3_BUCKET=", true),
            ("s3", &s3, "S3_BUCKET= S3_ENDPOINT_URL=http://s3.example.org", false),
            ("s3", &s3, "USE_S3=False", true),
            ("s3", &s3, "USE_S3=true", false),
            ("s3", &s3, "USE_SSL=false", false),
        ] {
            let values = given.split(' ').filter_map(|one| one.split_once('='));
            let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            assert_eq!(of.is_answered(service, &values, &["db".to_owned()]), expected, "{given}");
        }
        assert!(postgres.has_login && !s3.has_login);
        for (value, expected) in
            [("postgresql://u@db/x", true), ("postgresql+asyncpg://db", false), ("x", true)]
        {
            assert_eq!(postgres.replaces("DATABASE_URL", value), expected, "{value}");
        }
        assert!(!postgres.replaces("DB_URL", "postgresql://db/x"));
    }
}
