"""Writes what core/src/ai/sentiment.rs and its tests are made of, by the published reference implementation of VADER:

    pip install vaderSentiment==3.3.2 && python3 core/tests/sentiment/reference.py

- core/src/ai/sentiment/lexicon.txt: the published lexicon; a line is a valence and the words that have it, as they are looked up
  (in lower case, without spaces). What cannot be looked up is left out.
- core/src/ai/sentiment/emoji.txt: the published descriptions of emojis of one code point; longer ones are never found.
- core/tests/sentiment/vectors.tsv: texts as JSON strings, with the reference's compound score.

With a number, it instead prints so many other vectors, for a longer comparison: python3 reference.py 200000 > more.tsv, then
SENTIMENT_VECTORS=more.tsv cargo test -p fieldcrm-core --test sentiment.
It also prints how well the reference does on messages.tsv. Python before 3.12: later ones add floats up in another way.
"""
import json
import random
import sys
from collections import defaultdict
from pathlib import Path

from vaderSentiment.vaderSentiment import (
    BOOSTER_DICT, NEGATE, SENTIMENT_LADEN_IDIOMS, SPECIAL_CASES, SentimentIntensityAnalyzer)

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src" / "ai" / "sentiment"
VADER = SentimentIntensityAnalyzer()
LABELS = ["positive", "neutral", "negative"]


def lexicon():
    by_valence = defaultdict(list)
    for word, valence in VADER.lexicon.items():
        if word == word.lower() and len(word.split()) == 1:
            by_valence[valence].append(word)
    lines = (f"{valence} {' '.join(sorted(words))}\n" for valence, words in sorted(by_valence.items()))
    (SOURCE / "lexicon.txt").write_text("".join(lines), encoding="utf-8")
    emojis = sorted((e, d) for e, d in VADER.emojis.items() if len(e) == 1)
    (SOURCE / "emoji.txt").write_text("".join(f"{e}{d}\n" for e, d in emojis), encoding="utf-8")


def texts(count, seed):
    """Texts that meet every rule, and rules that meet each other."""
    dice = random.Random(seed)
    words = sorted(VADER.lexicon)
    boosters = sorted(BOOSTER_DICT)
    emojis = sorted(VADER.emojis)
    idioms = sorted(SPECIAL_CASES) + sorted(SENTIMENT_LADEN_IDIOMS)
    plain = ("the a we technician boiler visit it is was at to of in and heater you your they leak pipe price today had been "
             "I my house İstanbul straße ΣΟΦΟΣ naïve ok O'Neil's don't-know 20x25x4 #1 @office http://a.example/?q=!? ǅ ß").split()
    turns = ["but", "BUT", "least", "at least", "very least", "the least", "no", "nor", "or", "never so", "never this",
             "without doubt", "without a doubt", "kind of", "sort of", "so", "this", "doubt", "yeah right", "No", "not", "n't"]
    spaces = [" "] * 12 + ["  ", "\n", "\t", "\u00a0", "\u2003", "\x1f", "\u0085", "\u3000", "\u200b", ""]
    ends = ["", "", "", ".", "!", "!!", "!!!!!!", "?", "??", "???", "?????", ",", "...", "!?", ")", "'", "\"", ":", "—", "…"]
    def word():
        pick = dice.random()
        if pick < .30: one = dice.choice(words)
        elif pick < .42: one = dice.choice(boosters)
        elif pick < .52: one = dice.choice(NEGATE)
        elif pick < .62: one = dice.choice(turns)
        elif pick < .66: one = dice.choice(idioms)
        elif pick < .70: one = "".join(dice.choice(emojis) for _ in range(dice.randint(1, 3)))
        elif pick < .71: one = dice.choice(["'", "\"", "(", "*"]) + dice.choice(words)
        else: one = dice.choice(plain)
        case = dice.random()
        if case < .10: one = one.upper()
        elif case < .18: one = one.capitalize()
        return one + (dice.choice(ends) if dice.random() < .25 else "")
    fixed = ["", " ", "!", "?", ".", "\x1f", "no", "but", "least", "GOOD", "great but", "but great", "no good", "No, good.", "😀", "😀😀!", " 😡"]
    yield from fixed
    for _ in range(count - len(fixed)):
        yield "".join(word() + dice.choice(spaces) for _ in range(dice.randint(1, dice.choice([3, 8, 16])))) + dice.choice(ends)


def vectors(count, seed):
    for text in texts(count, seed):
        yield f"{json.dumps(text, ensure_ascii=False)}\t{VADER.polarity_scores(text)['compound']}\n"


def messages():
    pairs = [line.split("\t") for line in (HERE / "messages.tsv").read_text("utf-8").splitlines() if not line.startswith("#")]
    counts = defaultdict(int)
    for label, text in pairs:
        score = VADER.polarity_scores(text)["compound"]
        counts[label, LABELS[0 if score >= .05 else 2 if score <= -.05 else 1]] += 1
    right = sum(counts[label, label] for label in LABELS)
    f1 = [2 * counts[x, x] / (sum(counts[x, y] for y in LABELS) + sum(counts[y, x] for y in LABELS)) for x in LABELS]
    print(f"{len(pairs)} messages: accuracy {right / len(pairs):.6f} ({right}), macro F1 {sum(f1) / 3:.6f}")
    for label in LABELS:
        print(f"{label}: taken for " + ", ".join(f"{other} {counts[label, other]}" for other in LABELS))
    return pairs


if len(sys.argv) > 1:
    sys.stdout.writelines(vectors(int(sys.argv[1]), "more"))
else:
    lexicon()
    messages()
    with open(HERE / "vectors.tsv", "w", encoding="utf-8") as out:
        out.writelines(vectors(2000, "fieldcrm"))
