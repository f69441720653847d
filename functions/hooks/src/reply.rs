//! What somebody wrote in a mail, without what they answered to and without their signature.
//!
//! There is no sure way to tell; in doubt the text stays, and the whole of it is kept besides. A mail
//! with answers between the quoted lines keeps them all.

/// Lines with which mail programs begin the message that is answered, without the dashes around.
const ORIGINAL: [&str; 10] = [
    "original message",
    "ursprüngliche nachricht",
    "originalnachricht",
    "message d'origine",
    "mensaje original",
    "messaggio originale",
    "mensagem original",
    "oorspronkelijk bericht",
    "ursprungligt meddelande",
    "原始邮件",
];

/// The first two fields of the block that Outlook puts above it.
const FROM: [&str; 9] = ["from", "von", "de", "da", "van", "från", "fra", "od", "发件人"];
const SENT: [&str; 12] = [
    "sent",
    "date",
    "gesendet",
    "datum",
    "envoyé",
    "enviado",
    "inviato",
    "verzonden",
    "skickat",
    "sendt",
    "fecha",
    "发送时间",
];

/// The end of "On Monday Ann wrote:".
const WROTE: [&str; 16] = [
    "wrote:",
    "schrieb:",
    "écrit :",
    "écrit:",
    "escribió:",
    "escreveu:",
    "ha scritto:",
    "schreef:",
    "skrev:",
    "napisał(a):",
    "napisał:",
    "пишет:",
    "написал:",
    "написал(а):",
    "写道:",
    "写道：",
];

/// The beginning of what telephones sign with.
const SENT_FROM: [&str; 12] = [
    "sent from my ",
    "sent from mail for ",
    "get outlook for ",
    "sent via ",
    "von meinem ",
    "gesendet von ",
    "envoyé de mon ",
    "enviado desde mi ",
    "enviado do meu ",
    "inviato da ",
    "verstuurd vanaf ",
    "skickat från ",
];

/// How many lines of a mail are read for what somebody wrote; the whole of it is kept elsewhere.
const MAX_LINES: usize = 10_000;

/// The text without quotation and signature; all of it, where nothing else would be left.
pub fn trim(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = text.lines().take(MAX_LINES).collect();
    let mut end = quotation(&lines);
    end = signature(&lines[..end]);
    let kept = lines[..end].join("\n");
    let kept = kept.trim();
    if kept.is_empty() { text.trim().to_owned() } else { kept.to_owned() }
}

/// The HTML up to where a mail program puts what is answered.
pub fn trim_html(html: &str) -> &str {
    const MARKS: [&str; 8] = [
        "<div class=\"gmail_quote",
        "<blockquote class=\"gmail_quote",
        "<blockquote type=\"cite\"",
        "<div id=\"appendonsend\"",
        "<div id=\"divrplyfwdmsg\"",
        "<div class=\"yahoo_quoted",
        "<div class=\"moz-cite-prefix\"",
        "<div name=\"quote\"",
    ];
    // Of ASCII only, so that places in both texts are the same.
    let small = html.to_ascii_lowercase();
    MARKS.iter().filter_map(|mark| small.find(mark)).min().map_or(html, |end| &html[..end])
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

/// A text's lines with what comes next after each, so that a mail of nothing but beginnings of
/// quotations takes no longer than another. What does not come is at the end.
struct Lines<'a> {
    all: &'a [&'a str],
    next_quoted: Vec<usize>,
    next_own: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(all: &'a [&'a str]) -> Self {
        let mut next_quoted = vec![all.len(); all.len() + 1];
        let mut next_own = next_quoted.clone();
        for (place, line) in all.iter().enumerate().rev() {
            next_quoted[place] = if is_quoted(line) { place } else { next_quoted[place + 1] };
            let own = !is_quoted(line) && !is_blank(line);
            next_own[place] = if own { place } else { next_own[place + 1] };
        }
        Self { all, next_quoted, next_own }
    }

    /// Whether the next line with anything in it is a quoted one.
    fn is_quoted_next(&self, place: usize) -> bool {
        self.next_quoted[place] < self.next_own[place]
    }

    /// Whether something that is not quoted follows what is: then the answer is between the lines.
    fn answers_between(&self, place: usize) -> bool {
        let own = self.next_own[self.next_quoted[place]];
        // The signature below a quotation is no answer.
        self.all.get(own).is_some_and(|line| line.trim_end() != "--" && !is_telephone(line))
    }
}

/// The line at which what is answered begins.
fn quotation(all: &[&str]) -> usize {
    let lines = Lines::new(all);
    let begins = |&place: &usize| {
        (separates(all[place]) || is_outlook(&all[place..]) || introduces(&lines, place))
            && !lines.answers_between(place)
    };
    // Without an introduction, what is quoted at the end.
    (0..all.len()).find(begins).unwrap_or_else(|| {
        let last = all.iter().rposition(|line| !is_blank(line) && !is_quoted(line));
        let end = last.map_or(0, |last| last + 1);
        if lines.next_quoted[end] < all.len() { end } else { all.len() }
    })
}

/// `-----Original Message-----`
fn separates(line: &str) -> bool {
    let inner = line.trim().trim_start_matches('-').trim_end_matches('-').trim().to_lowercase();
    line.trim_start().starts_with("--") && ORIGINAL.contains(&inner.as_str())
}

/// `From: …` and `Sent: …` right after it, perhaps under a line of underscores.
fn is_outlook(lines: &[&str]) -> bool {
    let ruled = lines.first().is_some_and(|line| {
        let line = line.trim();
        line.len() >= 10 && line.bytes().all(|byte| byte == b'_')
    });
    let fields = lines.iter().skip(usize::from(ruled)).take(6);
    let mut fields = fields.filter(|line| !is_blank(line));
    let mut next = || {
        let line = fields.next()?.trim().trim_start_matches('*');
        let (name, _) = line.split_once([':', '：'])?;
        Some(name.trim_matches(['*', ' ']).to_lowercase())
    };
    let first_is_field = !lines.first().is_some_and(|line| is_blank(line));
    first_is_field
        && next().is_some_and(|name| FROM.contains(&name.as_str()))
        && next().is_some_and(|name| SENT.contains(&name.as_str()))
}

/// "On Mon, 3 Mar 2025 at 10:00, Ann <ann@example.com> wrote:", on up to three lines, or any line with
/// a colon at its end right above quoted ones.
fn introduces(lines: &Lines<'_>, place: usize) -> bool {
    let first = lines.all[place].trim();
    if first.is_empty() || is_quoted(first) {
        return false;
    }
    if first.ends_with([':', '：']) && lines.is_quoted_next(place + 1) {
        return true;
    }
    // Only a sentence that holds a date or an address is one of a mail program.
    let mut sentence = String::new();
    for line in lines.all[place..].iter().take(3).map(|line| line.trim()) {
        if line.is_empty() || is_quoted(line) {
            return false;
        }
        sentence.push_str(line);
        sentence.push(' ');
        let told = sentence.trim_end().to_lowercase();
        if WROTE.iter().any(|end| told.ends_with(end)) {
            return told.contains('@') || told.chars().filter(char::is_ascii_digit).count() >= 4;
        }
        // German puts the name last: "Am 3.3.2025 um 10:00 schrieb Ann <ann@example.com>:"
        if told.ends_with(':')
            && told.contains('@')
            && [" schrieb ", " schreef ", " skrev "].iter().any(|verb| told.contains(verb))
        {
            return true;
        }
    }
    false
}

/// The line at which the signature begins.
fn signature(lines: &[&str]) -> usize {
    const LONGEST: usize = 15;
    let is_mark = |line: &str| matches!(line.trim_end(), "--" | "\u{2014}" | "––");
    let mut end = lines.len();
    if let Some(mark) = lines.iter().rposition(|line| is_mark(line))
        && lines.len() - mark <= LONGEST
        && lines[..mark].iter().any(|line| !is_blank(line))
    {
        end = mark;
    }
    let last = lines[..end].iter().rposition(|line| !is_blank(line));
    match last {
        Some(last) if is_telephone(lines[last]) => last,
        _ => end,
    }
}

fn is_telephone(line: &str) -> bool {
    let line = line.trim().trim_start_matches(['<', '[']).to_lowercase();
    line.len() < 100 && SENT_FROM.iter().any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(trim(text), expected, "{text}");
    }

    #[test]
    fn a_text_of_ones_own_stays() {
        check("Hello\r\n\r\nTuesday is fine.\r\n", "Hello\n\nTuesday is fine.");
        check("", "");
        check("I have three questions:\n- one\n- two\n", "I have three questions:\n- one\n- two");
        check("My wife wrote: call them!", "My wife wrote: call them!");
        check("From: me\nwith love", "From: me\nwith love");
        check("a -- b\n--- c", "a -- b\n--- c");
    }

    #[test]
    fn what_is_answered_goes() {
        check(
            "Yes.\n\nOn Mon, 3 Mar 2025 at 10:00, Ann Lee <ann@example.com> wrote:\n> Tuesday?\n",
            "Yes.",
        );
        check(
            "Yes.\n\nOn Mon, 3 Mar 2025 at 10:00, Ann Lee\n<ann@example.com>\nwrote:\n\n> Tuesday?\n>\n> Ann",
            "Yes.",
        );
        check(
            "Ja.\n\nAm 03.03.2025 um 10:00 schrieb Ann Lee <ann@example.com>:\n> Dienstag?",
            "Ja.",
        );
        check(
            "Oui.\n\nLe lun. 3 mars 2025 à 10:00, Ann <ann@example.com> a écrit :\nMardi ?",
            "Oui.",
        );
        check(
            "Sí.\n\nEl lun, 3 mar 2025 a las 10:00, Ann (ann@example.com) escribió:\n\n¿El martes?",
            "Sí.",
        );
        check("好的\n\nAnn <ann@example.com> 于2025年3月3日周一 10:00写道：\n\n> 周二？", "好的");
        check("Yes\n\n-----Original Message-----\nFrom: Ann\nTuesday?", "Yes");
        check(
            "Yes\n\n________________________________\nFrom: Ann Lee <ann@example.com>\nSent: Monday\nTo: Bob\nSubject: x\n\nTuesday?",
            "Yes",
        );
        check("Ja\n\nVon: Ann Lee\nGesendet: Montag\nAn: Bob\n\nDienstag?", "Ja");
        check("Yes\n\n*From:* Ann\n*Sent:* Monday\n\nTuesday?", "Yes");
        check("Yes\n\n> Tuesday?\n> Ann\n", "Yes");
        check("Any program at all, 3.3.:\n\n> Tuesday?", "Any program at all, 3.3.:\n\n> Tuesday?");
        check("نعم\n\nفي الاثنين، كتب Ann:\n> الثلاثاء؟", "نعم");
    }

    #[test]
    fn answers_between_the_lines_stay_with_them() {
        let text = "Hi Ann\n\nOn Mon, 3 Mar 2025, Ann <ann@example.com> wrote:\n> Tuesday?\n\nYes.\n\n> At ten?\n\nNo, nine.";
        check(text, text);
    }

    #[test]
    fn signatures_go() {
        check("Yes.\n-- \nBob Ray\n+1 415 555 2671", "Yes.");
        check("Yes.\n\nSent from my iPhone", "Yes.");
        check("Ja.\n\nVon meinem iPhone gesendet\n", "Ja.");
        check(
            "Yes\n\nSent from my iPhone\n\n> On 3 Mar 2025, at 10:00, Ann wrote:\n> Tuesday?",
            "Yes",
        );
        check("Yes\n\nOn 3 Mar 2025, Ann <ann@example.com> wrote:\n> Tuesday?\n\n--\nBob", "Yes");
        check("-- \nBob", "-- \nBob");
    }

    #[test]
    fn html_ends_where_the_quotation_begins() {
        assert_eq!(trim_html("<p>Yes</p><div class=\"gmail_quote\">x"), "<p>Yes</p>");
        assert_eq!(trim_html("<p>İ</p><BLOCKQUOTE type=\"cite\">x"), "<p>İ</p>");
        assert_eq!(trim_html("<p>Yes</p>"), "<p>Yes</p>");
    }
}
