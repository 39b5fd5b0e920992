//! The mail server (RFC 5321): accepts everything, and logs it. It accepts any credentials, and does not
//! log them.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::LogFn;
use crate::base::text::{plural, safe_line};

/// Maximum bytes of a line.
const LONGEST_LINE: u64 = 64 << 10;
/// Maximum bytes of a mail.
const LONGEST_MAIL: usize = 16 << 20;
/// Timeout of a silent client.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// One conversation.
#[derive(Debug, Default)]
struct SmtpSession {
    from: Option<String>,
    to: Vec<String>,
    expects: Expects,
}

/// The meaning of the next line.
#[derive(Debug, Default)]
enum Expects {
    #[default]
    Command,
    /// This many lines of a login.
    Login(u8),
    Mail(Vec<String>, usize),
}

/// The result of a line.
#[derive(Debug, Default, PartialEq, Eq)]
struct SmtpOutcome {
    /// The reply; empty within a mail.
    reply: &'static str,
    /// The lines to log.
    said: Vec<String>,
    /// The session ends.
    ends: bool,
}

fn reply(reply: &'static str) -> SmtpOutcome {
    SmtpOutcome { reply, ..SmtpOutcome::default() }
}

impl SmtpSession {
    /// Handles a line without its end.
    fn line(&mut self, line: &str) -> SmtpOutcome {
        match &mut self.expects {
            Expects::Login(left) => {
                *left -= 1;
                if *left > 0 {
                    return reply("334 UGFzc3dvcmQ6");
                }
                self.expects = Expects::Command;
                reply("235 welcome")
            }
            Expects::Mail(lines, size) => {
                if line == "." {
                    let (lines, size) = (std::mem::take(lines), *size);
                    return self.mail(&lines, size);
                }
                *size += line.len();
                if *size <= LONGEST_MAIL {
                    // The client doubles a dot at the beginning of a line (section 4.5.2).
                    lines.push(line.strip_prefix('.').unwrap_or(line).to_owned());
                }
                SmtpOutcome::default()
            }
            Expects::Command => self.command(line),
        }
    }

    fn command(&mut self, line: &str) -> SmtpOutcome {
        let (verb, rest) = line.split_once([' ', ':']).unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "HELO" => reply("250 cki"),
            "EHLO" => reply("250-cki\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN"),
            "AUTH" => {
                let mut words = rest.split_whitespace();
                let is_login = words.next().is_some_and(|how| how.eq_ignore_ascii_case("login"));
                let left = u8::from(words.next().is_none()) + u8::from(is_login);
                if left == 0 {
                    return reply("235 welcome");
                }
                self.expects = Expects::Login(left);
                reply(if is_login && left == 2 { "334 VXNlcm5hbWU6" } else { "334 UGFzc3dvcmQ6" })
            }
            "MAIL" => {
                (self.from, self.to) = (Some(address(rest)), Vec::new());
                reply("250 ok")
            }
            "RCPT" if self.from.is_none() => reply("503 from whom is it?"),
            "RCPT" => {
                self.to.push(address(rest));
                reply("250 ok")
            }
            "DATA" if self.to.is_empty() => reply("503 to whom is it?"),
            "DATA" => {
                self.expects = Expects::Mail(Vec::new(), 0);
                reply("354 end with a dot on a line")
            }
            "RSET" => {
                *self = Self::default();
                reply("250 ok")
            }
            "NOOP" => reply("250 ok"),
            "VRFY" => reply("252 perhaps"),
            "QUIT" => SmtpOutcome { reply: "221 goodbye", ends: true, ..SmtpOutcome::default() },
            _ => reply("502 that is not known here"),
        }
    }

    fn mail(&mut self, lines: &[String], size: usize) -> SmtpOutcome {
        let Self { from, to, .. } = std::mem::take(self);
        if size > LONGEST_MAIL {
            return reply("552 that is too long");
        }
        let count = plural(lines.len(), "line");
        let head = format!("mail from {} to {}: {count}", from.unwrap_or_default(), to.join(", "));
        let said = std::iter::once(head).chain(lines.iter().map(|line| format!("  {}", safe_line(line))));
        SmtpOutcome { reply: "250 accepted, not delivered", said: said.collect(), ends: false }
    }
}

/// Returns the address in `FROM:<a@b> SIZE=1`.
fn address(text: &str) -> String {
    let inner = text.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(inner, _)| inner);
    safe_line(inner.unwrap_or_else(|| text.rsplit(':').next().unwrap_or(text).trim())).into_owned()
}

/// Accepts connections forever. Dropping the future ends the sessions.
pub(super) async fn serve(listener: TcpListener, say: LogFn) {
    let mut sessions = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // A client may disconnect at any time.
                    let say = LogFn::clone(&say);
                    sessions.spawn(async move { drop(talk(stream, &say).await) });
                }
                // Accepting failed, for example at the limit of open files: other connections must end
                // first.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = sessions.join_next() => {}
        }
    }
}

async fn talk(mut stream: TcpStream, say: &LogFn) -> std::io::Result<()> {
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read);
    let mut session = SmtpSession::default();
    write.write_all(b"220 cki accepts mail and does not deliver it\r\n").await?;
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut read).take(LONGEST_LINE);
        let count = tokio::time::timeout(IDLE_TIMEOUT, limited.read_until(b'\n', &mut line)).await??;
        if count == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line);
        let outcome = session.line(text.trim_end_matches(['\r', '\n']));
        outcome.said.iter().for_each(|line| say(line));
        if !outcome.reply.is_empty() {
            write.write_all(format!("{}\r\n", outcome.reply).as_bytes()).await?;
        }
        if outcome.ends {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mock_smtp_logs_mail_but_not_login() {
        let mut session = SmtpSession::default();
        let mut replies = Vec::new();
        let mut said = Vec::new();
        let lines = "EHLO x|AUTH LOGIN|dXNlcg==|aHVudGVyMg==|MAIL FROM:<a@b> SIZE=3|RCPT TO:<c@d>|DATA|\
                     Subject: hi||..dot|\u{1b}[31mred|.|MAIL FROM:<>|DATA|NONSENSE|QUIT";
        for line in lines.split('|') {
            let outcome = session.line(line);
            replies
                .extend(outcome.reply.split(' ').next().filter(|code| !code.is_empty()).map(str::to_owned));
            said.extend(outcome.said);
        }
        assert_eq!(
            replies,
            [
                "250-cki\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250",
                "334",
                "334",
                "235",
                "250",
                "250",
                "354",
                "250",
                "250",
                "503",
                "502",
                "221"
            ]
        );
        assert_eq!(said[..4], ["mail from a@b to c@d: 4 lines", "  Subject: hi", "  ", "  .dot"]);
        assert!(!said[4].contains('\u{1b}'));
        let mut session = SmtpSession::default();
        assert_eq!(session.line("AUTH PLAIN AGEAYg==").reply, "235 welcome");
        assert_eq!(session.line("AUTH PLAIN").reply, "334 UGFzc3dvcmQ6");
        assert_eq!(session.line("AGEAYg==").reply, "235 welcome");
        assert_eq!(session.line("RCPT TO:<c@d>").reply, "503 from whom is it?");
    }
}
