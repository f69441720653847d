//! What the user sees: one line with its time for each step, a spinner while it runs.

use std::fmt::Display;
use std::io::IsTerminal;
use std::sync::LazyLock;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Steps shorter than this need no sign of life.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a log file (no terminal) is told that a long step still runs.
const REMINDER: Duration = Duration::from_mins(1);
const NAME_WIDTH: usize = 58;
/// Steps that run at the same time share the lines of the terminal.
static BARS: LazyLock<MultiProgress> =
    LazyLock::new(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));

pub struct Step {
    name: String,
    started: Instant,
    bar: ProgressBar,
    // Dropping the sender ends the thread that prints the reminders.
    reminder: Option<Sender<()>>,
    finished: bool,
}

impl Step {
    pub fn start(name: impl Into<String>) -> Self {
        let name = name.into();
        let started = Instant::now();
        let (bar, reminder) = if std::io::stderr().is_terminal() {
            (spinner(&name), None)
        } else {
            (ProgressBar::hidden(), Some(remind(name.clone(), started)))
        };
        Self { name, started, bar, reminder, finished: false }
    }

    /// Shows what the step is doing right now (terminals only).
    pub fn detail(&self, line: &str) {
        let line = line.trim();
        if !line.is_empty() {
            self.bar.set_message(format!("{}: {line}", self.name));
        }
    }

    pub fn done(self, what: impl Display) {
        self.finish("ok", "32", &what.to_string());
    }

    pub fn warn(self, what: impl Display) {
        self.finish("!!", "33", &what.to_string());
    }

    pub fn failed(self, what: impl Display) {
        self.finish("FAILED", "31", &what.to_string());
    }

    fn finish(mut self, mark: &str, colour: &str, what: &str) {
        self.clear();
        let seconds = self.started.elapsed().as_secs_f64();
        let mark = paint(colour, mark);
        BARS.suspend(|| println!("  {mark}  {what:<NAME_WIDTH$} {seconds:>7.1} s"));
    }

    fn clear(&mut self) {
        self.finished = true;
        self.reminder = None;
        self.bar.finish_and_clear();
    }
}

impl Drop for Step {
    // The error that ended the step is printed by main; this line says where it happened.
    fn drop(&mut self) {
        if !self.finished {
            self.clear();
            let seconds = self.started.elapsed().as_secs_f64();
            let mark = paint("31", "FAILED");
            BARS.suspend(|| println!("  {mark}  {:<NAME_WIDTH$} {seconds:>7.1} s", self.name));
        }
    }
}

fn spinner(name: &str) -> ProgressBar {
    let bar = BARS.add(ProgressBar::new_spinner());
    if let Ok(style) = ProgressStyle::with_template("  {spinner}  {wide_msg} {elapsed:>5}") {
        bar.set_style(style);
    }
    bar.set_message(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn remind(name: String, started: Instant) -> Sender<()> {
    let (sender, receiver) = channel::<()>();
    std::thread::spawn(move || {
        let mut wait = PATIENCE;
        while receiver.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            println!("  ..  {name} ({} s)", started.elapsed().as_secs());
            wait = REMINDER;
        }
    });
    sender
}

fn colours() -> bool {
    std::io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

pub fn paint(code: &str, text: &str) -> String {
    if colours() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Drops terminal escapes from a tool's output, for logs and for counting.
pub fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            skip_escape(&mut characters);
        } else if character != '\r' {
            text.push(character);
        }
    }
    text
}

/// A colour ends at its first letter, a hyperlink (`ESC ]`) at BEL or at `ESC \`.
fn skip_escape(characters: &mut std::str::Chars<'_>) {
    let hyperlink = characters.next() == Some(']');
    let mut before = ' ';
    for character in characters.by_ref() {
        let ends = if hyperlink {
            character == '\u{7}' || (before == '\u{1b}' && character == '\\')
        } else {
            character.is_ascii_alphabetic()
        };
        if ends {
            break;
        }
        before = character;
    }
}

pub fn kilobytes(bytes: u64) -> String {
    // Tenths of a kB in integers: sizes here are far below where this could overflow.
    let tenths = bytes / 100;
    format!("{}.{} kB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_drops_escapes() {
        assert_eq!(plain("\u{1b}[32m\u{1b}[1m  Installing\u{1b}[0m ok\r"), "  Installing ok");
        let link = "warning[\u{1b}]8;;https://lint.example/rule\u{1b}\\rule\u{1b}]8;;\u{1b}\\]";
        assert_eq!(plain(link), "warning[rule]");
    }

    #[test]
    fn kilobytes_keep_one_decimal() {
        assert_eq!(kilobytes(123_456), "123.4 kB");
    }
}
