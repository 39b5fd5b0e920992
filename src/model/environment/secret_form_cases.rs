//! Texts with and without secrets in the formats of programs: command lines, netrc, htpasswd, XML, Base64.

use proptest::prelude::*;

use super::secret_part::tests::{masked, names};
use super::{secret_form, secret_part};

#[test]
fn secrets_of_well_known_formats_are_found() {
    let names = names();
    for (text, expected) in [
        ("mysqladmin ping -h localhost -phunter2", "mysqladmin ping -h localhost -p•"),
        ("sh -c 'exec mysql -uroot -p\"hun ter2\" app'", "sh -c 'exec mysql -uroot -p\"•\" app'"),
        ("/usr/bin/mysqldump -u a -phunter2 | gzip -p3", "/usr/bin/mysqldump -u a -p• | gzip -p3"),
        ("redis-cli -h h -a hunter2 ping", "redis-cli -h h -a • ping"),
        ("[\"redis-cli\", \"-a\", \"hunter2\"]", "[\"redis-cli\", \"-a\", \"•\"]"),
        ("mongosh -u a -p 'hun ter2' --eval x", "mongosh -u a -p '•' --eval x"),
        ("docker login -u a -p hunter2 r.test", "docker login -u a -p • r.test"),
        ("ldapsearch -D cn=a -w hunter2", "ldapsearch -D cn=a -w •"),
        ("curl -fsS -u user:hunter2 https://a.test", "curl -fsS -u user:• https://a.test"),
        ("curl -uuser:hunter2 http://a.test", "curl -uuser:• http://a.test"),
        ("curl --user 'user:hun ter2' x", "curl --user 'user:•' x"),
        ("curl --proxy-user=u:hunter2 x", "curl --proxy-user=u:• x"),
        (
            "https://a.blob.core.windows.net/c?sv=2022-11-02&sp=r&sig=aB3%2Fc0123456789abcdef%3D&se=x",
            "https://a.blob.core.windows.net/c?sv=2022-11-02&sp=r&sig=•&se=x",
        ),
        ("machine a.test login me password hunter2", "machine a.test login me password •"),
        ("default\n  login me\n  password hunter2\n", "default\n  login me\n  password •\n"),
        (
            "machine a login b password c1 machine d login e password f1",
            "machine a login b password • machine d login e password •",
        ),
        ("<server><password>hunter2</password></server>", "<server><password>•</password></server>"),
        (
            "org.x.plain.PlainLoginModule required password=\"admin-pw9\" user_admin=\"admin-pw9\" user_mds=\"mds-pw9\";",
            "org.x.plain.PlainLoginModule required password=\"•\" user_admin=\"•\" user_mds=\"•\";",
        ),
        ("<c:ApiKey id='1'>hunter2</c:ApiKey>", "<c:ApiKey id='1'>•</c:ApiKey>"),
        ("admin:$apr1$8sd7f6s$Hs7ls9sJ2hs7Gsh2j3hG01", "admin:•"),
        ("a:$2y$05$abcdefghijklmnopqrstuv,b:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "a:•,b:•"),
        ("cGFzc3dvcmQ9aHVudGVyMg==", "•=="),
        ("DATA=dXNlcjogYQpwYXNzd29yZDogaHVudGVyMgo= x", "DATA=•= x"),
    ] {
        assert_eq!(masked(text, &names), expected, "{text}");
    }
}

#[test]
fn texts_like_these_formats_hold_no_secret() {
    let names = names();
    for text in [
        "mysqladmin ping -p -h x",
        "mysqladmin ping -p$MYSQL_ROOT_PASSWORD",
        "mysql -P 3306 --port=3306 -u a",
        "mkdir -pv /x && cp -pr a b",
        "mysqladmin ping; mkdir -phunter2",
        "redis-cli -h x --raw -n 1 ping",
        "redis-cli -a $PASSWORD ping",
        "docker run -p 80:80 nginx",
        "curl -u user: http://a.test",
        "curl -u \"$USER:$PASSWORD\" http://a.test",
        "curl -fsS http://localhost:80/health -o /dev/null",
        "curl -s x | sort -u a:b",
        "id -u a:b",
        "a machine user needs a login and a password that is long",
        "<name>x</name><passwordFile>/run/x</passwordFile>",
        "<password>${PASSWORD}</password>",
        "https://a.test/?sig=short&x=y",
        "user:$HOME/x",
        "/usr/local/lib/python3/site-packages/abcdef",
        "aGVsbG8gd29ybGQsIHRoaXMgaXMgYSB0ZXN0",
    ] {
        assert_eq!(secret_part::find(text, &names), [], "{text}");
    }
}

proptest! {
    #[test]
    fn find_returns_valid_ranges(text in "((mysql|redis-cli|curl|machine|login|password|-[pau]|--user)?[ \"'=:|;,\\[\\]a-z\u{a0}\u{b}é\n<>/]{0,5}){0,12}") {
        let names = names();
        let encoded = secret_form::encoded(&text, &|_| true);
        for part in secret_form::find(&text, &names).into_iter().chain(encoded) {
            prop_assert!(text.get(part.range).is_some());
        }
    }
}
