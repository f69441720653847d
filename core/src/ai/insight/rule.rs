//! What words say which kind. English.
//!
//! A pattern is words in a row: `a|b` is one of them, `word*` begins so, `#` has a digit, `~` is up to three words of any kind.

use super::Kind;

const COMPLAINT: &[&str] = &[
    "upset|angry|furious|unacceptable|unprofessional|dissatisfied|unhappy|rude|sloppy|careless|disgusted|disgusting|outraged|outrageous",
    "ridiculous|incompetent|incompetence|inexcusable|appalled|appalling|nightmare|fraud|lied|liar|liars|horrible|terrible|awful|useless|unreliable|shameful|ashamed|hate",
    "disappoint*|complain*|frustrat*|annoy*|regret*|overcharg*|apolog*|ignored",
    "shame on",
    "thanks for nothing",
    "so called",
    "so much for",
    "expected better|more from",
    "supposed to",
    "no excuse|call|technician|show",
    "no show|shows",
    "not|won't paying|pay ~ invoice|bill|until",
    "not|don't|can't|cannot|doesn't trust|impressed|recommend|helpful|fair|appreciate|believe|care",
    "not what ~ agreed|ordered|asked|quoted|promised",
    "not ~ properly|right|fixed",
    "nobody|noone listens|cares|knows|could|can|is|has|tells|bothered|apologized",
    "no one listens|cares|knows|could|can|is|has|tells|bothered",
    "why is|was|were|did|do|am|are ~ nobody|not|no|i|told|charged|waiting",
    "where is|are my|the|your technician|plumber|electrician|guy|man|team|refund|part",
    "can't|cannot|couldn't get|reach ~ anybody|anyone|you|somebody|someone",
    "impossible to reach|get",
    "lost|losing ~ confidence|trust|patience|days|sales|money",
    "patience is gone|over",
    "left without",
    "without telling|calling|asking|warning",
    "wrong part|wall|size|unit|date|address|time|model|one|filter",
    "cancel everything|my|our|the ~ membership|plan|contract|everything|account",
    "stop texting|calling|emailing|it",
    "took|takes|taken|been ~ weeks|months|visits",
    "worried|afraid|scared about|sick|to|of|that",
    "still broken|leaking|leaks|dripping|off|out|brown|cold|wet|dead|down|the|unpaid",
    "your mistake|fault|error",
    "left ~ open|mud|dust|dirt|trash|mess",
    "falling|fell|coming|came out|apart|off",
    "cost us|me a|our|my|two|three",
    "charged|charge ~ never|twice|not|wrong",
    "third|second|fourth ~ breakdown|wrong|time|failure ~ row|month|week|year|again",
    "not acceptable|happy|satisfied|pleased|good",
    "terrible|awful|horrible|worst|poor|lousy|bad service|work|job|experience|company|workmanship",
    "rip off|ripoff",
    "waste of time|money",
    "didn't|didnt|never|not show|turn|call|come|return|answer|reply|finish|clean up|back|us|me|my|it|the|anybody",
    "not|didn't show up",
    "never|hardly showed|called|came|answered|answers|answer|returned|replied|worked|works|fixed|finished|again",
    "nobody|noone came|called|calls|answers|answered|returned|replied|showed|shows|told|warned|ever|picks|picked",
    "no one came|called|calls|answers|answered|returned|replied|showed|shows|told|ever",
    "still waiting|no|not|nothing|leaks|leaking|broken",
    "been|keep waiting",
    "waited|waiting ~ all|for|hours|days|weeks",
    "second|third|fourth|fifth time ~ same|again|leak|problem|issue",
    "again|out|back after your|the repair|service|visit",
    "comes|came|is|are back|out after|again",
    "worse since|than|after|now",
    "was|were|been not|never told|informed|asked|warned",
    "charged|billed|invoiced me|us|him|her|them ~ twice|more|wrong|double|extra",
    "more|higher than the|your|our quote|quoted|estimate|agreed",
    "your|you|crew|technician|man|men|guy|guys|team|they ~ left|made a mess",
    "your|you|crew|technician|man|men|guy|guys|team ~ broke|damaged|scratched|cracked|ruined|dented|stained|flooded",
    "go|going|switch|switching ~ another|different company|provider|contractor|plumber|electrician",
    "money back",
    "want|wants|demand|demands|expect|expects ~ refund",
    "late again",
];

const PRAISE: &[&str] = &[
    "thankful|grateful|appreciate|appreciated|appreciates|kudos|compliments|genius|impressive|gorgeous|stunning|lifesaver|courteous|knowledgeable|reliable|trustworthy|smoothly|flawlessly|painless|enjoyed|pleasure|keeper",
    "thank|thanks ~ so|a|million|for|to|very",
    "can't|cannot thank",
    "couldn't|wouldn't|could|would|can not? ~ be happier|better|hesitate|asked",
    "couldn't|can't|wouldn't be|ask|hesitate|have",
    "could not have|be asked|happier|better",
    "no complaints",
    "not bad",
    "nothing but good|praise",
    "well done|worth",
    "worth the|every wait|money|cent|penny",
    "hats off",
    "above and beyond",
    "extra mile",
    "good hands",
    "i'm|we're|am|are|is|so|very glad|happy|pleased|relieved",
    "so glad",
    "happy customer|customers|client|to recommend",
    "a joy|relief|star|gem|lifesaver",
    "big relief",
    "saved us|me|our|the|my",
    "use|hire|call you? again",
    "made|make ~ easy|safe",
    "helpful|patient|kindly|polite|cheerful|gentle|careful",
    "exactly as promised|agreed",
    "top notch|quality|class",
    "feels|feel great|good|safe|clean",
    "always|incredibly|extremely kind|helpful|friendly|reliable|clean|cheerful|pleasant|knowledgeable",
    "customer for life",
    "finally someone",
    "deserves a",
    "fantastic|excellent|wonderful|amazing|awesome|superb|outstanding|brilliant|impressed|delighted|thrilled|flawless",
    "great|good|nice|perfect|lovely|fine job|work|service|team|experience|people|guy|guys|technician|company|crew",
    "very|really|so|super|extremely|quite happy|pleased|satisfied|polite|professional|friendly|helpful|kind|nice|grateful|thankful|clean|fast|quick|thorough",
    "happy|pleased|satisfied with",
    "lovely people|team|work",
    "five|5 stars",
    "recommend* ~ you|us|your|our|them",
    "will|would|can|gladly|happily recommend",
    "best ~ in|ever|we|i",
    "many|my|our|big|huge|her|his|their thanks",
    "thanks|thank you|to|for ~ coming|quick*|fast|great|help|helping|team|whole|wonderful|work|care|fixing",
    "works|working|running|runs perfectly|great|beautifully|again",
    "love|loves|loved the|your|our|it|how",
    "keep up",
];

const INTENT: &[&str] = &[
    "send|email|give|get|want|wants|need|needs|like|likes|request|requests|requested|make|prepare|asks|asked ~ quote|estimate|quotation|proposal|offer",
    "quote|estimate|quotation for ~ replac*|install*|new|repair*|rewir*|add*",
    "like|want|wants|need|needs|wanted|wish|wishes|looking|hoping|hope|plan|plans|planning|ready|happy to ~ replace|install|book|schedule|buy|order|upgrade|add|sign|renew|get|have|switch|go|build|convert|proceed|remodel|move",
    "like|want|wants|need|needs|wanted|book|schedule|arrange|request|asks|asked ~ appointment|visit|inspection|check|tune|checkup",
    "like|want|wants|need|needs ~ replaced|installed|upgraded|scheduled|booked|serviced|rewired|renewed",
    "like|want|wants|need|needs somebody|someone|you|a",
    "thinking|think|thinks|talking about|of ~ new|replac*|install*|upgrad*|buying|getting|adding|converting",
    "considering|consider|considers",
    "interested in",
    "can|could|may|would we|you|i|someone|somebody|anyone ~ book|schedule|come|send|look|arrange|install|replace|take|give|quote",
    "asked|asks|asking|inquired|enquired about|for ~ getting|installing|replacing|adding|plan|details|brochure|date|dates|slot|quote|estimate|new",
    "go|going|move|moving ahead|forward|with option",
    "sign|signing up",
    "switch to us",
    "how much ~ to|for add|replace|install|a|upgrade",
    "replacement of|for",
];

const DEADLINE: &[&str] = &[
    "by|before|until|till|than the|next|this|end|mid|early|late|our|his|her|their|middle|of ~ @",
    "by|before|until|till|than @",
    "by|until|before then|that|tonight|tomorrow",
    "before ~ arrive|arrives|come|comes|coming|visit|move|moves|opens|closing|inspection|wedding|party|heat|season|starts|begins|winter|summer|holidays|birth",
    "ends|end|expires|expire|due on|by ~ @",
    "deadline|deadlines",
    "no later than",
    "at the latest",
    "needs|need|must|has|have to ~ done|ready|working|running|finished|fixed|repaired|posted ~ by|before|until",
];

const COMPETITOR: &[&str] = &[
    "competitor*|competition|competing",
    "another|other|different|two|three|several|second ~ company|companies|contractor|contractors|provider|providers|firm|firms|bidder|bidders|plumber|plumbers|electrician|electricians|roofer",
    "other|more|two|three|competing|another|second ~ bid|bids|offer|offers|quotes|estimates",
    "someone|somebody else",
    "offer|quote|bid|estimate|price from ^",
    "current|former|previous|old|existing|present provider|contractor|company|plumber|supplier|vendor",
    "used to be|use|work with",
    "switch|switching|change|changing|coming|came over? from ^",
    "switch ~ from",
    "went|going|go|gone|signed|stay|staying with ^",
    "cheaper|less|lower than ours|us|you|yours|your|our",
    "quoted ~ for the same",
    "quoted by ^",
    "home depot",
    "lowe's|lowes|costco|amazon|ikea",
    "down the road|street",
];

const PRICE: &[&str] = &[
    "price|prices|priced|pricing|cost|costs|expensive|cheap|cheaper|cheapest|budget|discount*|afford*|rebate*|instalment*|installment*|coupon*|financing|surcharge",
    "how much",
    "dollars|dollar|euros|euro|bucks|usd|eur",
    "percent off|down|less|discount",
    "come|came|go down ~ percent|#",
    "rip off",
    "extra charge|charges|fee",
    "charged|charge|charges|billed|overcharged",
    "to spend",
    "would|will|could be about|around ~ #",
    "quoted|quotes #",
    "half|double|twice of? what|the",
    "pay|paying|payment in ~ instal*|rates|parts|months|advance",
    "too much for|money",
    "fair #",
    "# per|a visit|hour|month|year|unit",
    "# for ~ of work|minutes|hour|hours",
    "than we|they|she|he|i can|could afford|spend|pay",
];

const EQUIPMENT: &[&str] = &[
    "carrier|trane|lennox|rheem|goodman|daikin|mitsubishi|vaillant|viessmann|buderus|navien|rinnai|ruud|bryant|amana|grundfos|honeywell|ecobee|generac|fujitsu|kohler|moen|zinsco|siemens|bosch|york|eaton|panasonic|samsung|worcester|weishaupt|junkers|wolf|stiebel|baxi|ariston|wilo|hunter",
    "bradford white",
    "federal pacific",
    "american standard",
    "square d",
    "# year|years old",
    "# year old",
    "# yr|yrs old",
    "from|in|of the sixties|seventies|eighties|nineties",
    "unit|boiler|furnace|panel|heater|tank|pump|system|ac|compressor|condenser|thermostat|roof|filter|meter ~ is|from|installed ~ #",
    "unit|boiler|furnace|panel|heater|pump|system installed|installed: ",
    "installed in? #",
    "old ~ radiators|radiator|boiler|furnace|panel|pipes|wiring|heater|unit|tank|pump",
    "there are|is ~ units|unit|radiators|zones|boilers|tanks|pumps",
    "has|have|had ~ furnace|boiler|pex|copper|plumbing|radiators|pump|heater|panel|split|splits|thermostats|septic",
    "# gallon|gallons|ton|tons|btu|amp|amps|kw|psi",
    "single pipe",
    "model #|number",
    "serial number",
];

const PREFERENCE: &[&str] = &[
    "prefer*|rather|favourite|favorite",
    "best reached|time|times|day|days",
    "are|is|works|work best for",
    "mornings|afternoons|evenings|mondays|tuesdays|wednesdays|thursdays|fridays|saturdays|sundays|weekends|weekdays",
    "please only|ring|use|knock|text|avoid|write|park|wear|take",
    "please|always|only ~ call|send|come|contact|write ~ before|by|in|mobile|cell|only|after|first",
    "not|never by|the phone|office|email|mail|landline",
    "never|not|don't|doesn't call|ring|text|email|phone",
    "contacted|reached|invoices|invoice|bills|letters|reports|reminders by|in|on text|post|mail|email|phone|paper|mobile|cell|sms|whatsapp",
    "doesn't|don't|not want ~ anybody|anyone|visits|calls|people|us",
    "does|do not want ~ anybody|anyone|visits|calls|people|us",
    "no visits|calls|emails",
    "has|have a|two|three|big ~ dog|dogs|cat|cats",
    "asks|asked|ask for ^ ~ he|she|who|again",
    "asks|asked|ask for ^.",
    "same team|technician|crew|person|plumber|guy",
    "only want|wants ~ technician|technicians|visits|calls|emails",
    "wants|want only|invoices|the cheapest",
    "in spanish|german|french|english|italian|polish|russian|portuguese|chinese|vietnamese",
    "after|before # pm|am",
    "side|back|rear|front entrance|door",
    "shoes off",
];

/// A day: "March", "the 3rd", "Friday".
const DAYS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "weekend",
    "week",
    "month",
    "year",
    "christmas",
    "thanksgiving",
    "easter",
    "winter",
    "summer",
    "spring",
    "tomorrow",
    "tonight",
    "noon",
    "then",
];

/// Every kind that the sentence is.
pub fn kinds(sentence: &str) -> impl Iterator<Item = Kind> {
    let words = words(sentence);
    let found: Vec<_> = Kind::ALL.iter().copied().filter(|kind| is(*kind, &words)).collect();
    found.into_iter()
}

fn is(kind: Kind, words: &[Word]) -> bool {
    let patterns = match kind {
        Kind::Complaint => COMPLAINT,
        Kind::Deadline => DEADLINE,
        Kind::Intent => INTENT,
        Kind::Competitor => COMPETITOR,
        Kind::Price => PRICE,
        Kind::Praise => PRAISE,
        Kind::Equipment => EQUIPMENT,
        Kind::Preference => PREFERENCE,
    };
    patterns.iter().any(|pattern| {
        let parts: Vec<_> = pattern.split(' ').filter(|part| !part.is_empty()).collect();
        (0..words.len()).any(|at| {
            // "Not happy with" is no praise, and "no complaints" is none.
            let reach = match kind {
                Kind::Praise => 3,
                Kind::Complaint => 1,
                _ => 0,
            };
            let denied = words[at.saturating_sub(reach)..at].iter().any(Word::denies);
            !denied && begins(&words[at..], &parts)
        })
    })
}

struct Word {
    text: String,
    is_capital: bool,
}

impl Word {
    fn denies(&self) -> bool {
        matches!(self.text.as_str(), "not" | "never" | "no" | "hardly" | "without")
            || self.text.ends_with("n't")
    }

    fn has_digit(&self) -> bool {
        self.text.contains(|letter: char| letter.is_ascii_digit())
    }
}

fn words(sentence: &str) -> Vec<Word> {
    let sentence = sentence.replace('’', "'");
    let apart = |letter: char| !(letter.is_alphanumeric() || letter == '\'');
    let words = sentence.split(apart).map(|word| word.trim_matches('\''));
    words
        .filter(|word| !word.is_empty())
        .map(|word| Word {
            text: word.to_lowercase(),
            is_capital: word.starts_with(char::is_uppercase),
        })
        .collect()
}

fn begins(words: &[Word], pattern: &[&str]) -> bool {
    let Some((part, rest)) = pattern.split_first() else { return true };
    if *part == "~" {
        return (0..=words.len().min(3)).any(|skipped| begins(&words[skipped..], rest));
    }
    if part.ends_with('?') {
        let part = part.trim_end_matches('?');
        return begins(words, rest)
            || words.first().is_some_and(|word| meets(word, part) && begins(&words[1..], rest));
    }
    words.first().is_some_and(|word| meets(word, part) && begins(&words[1..], rest))
}

fn meets(word: &Word, part: &str) -> bool {
    part.split('|').any(|one| match one {
        "#" => word.has_digit(),
        "^" => word.is_capital,
        "@" => {
            DAYS.contains(&word.text.as_str())
                || ["st", "nd", "rd", "th"].iter().any(|end| {
                    word.text.strip_suffix(end).is_some_and(|number| {
                        !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
                    })
                })
        }
        _ => match one.strip_suffix('*') {
            Some(start) => word.text.starts_with(start),
            None => word.text == one,
        },
    })
}
