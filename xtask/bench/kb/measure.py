"""recall@5 of kb_search: 207 articles, 100 questions in customers' words, each with the one article that answers it.

    DATABASE_URL=postgresql://… python3 measure.py [test|dev]

Runs the product's own statement (rpc/sql/kb), in a transaction that is rolled back. By words alone, by meaning alone and by both, with the
builtin embedding and with all-MiniLM-L6-v2 (embed.py). Whatever is chosen by measuring is chosen on the 80 questions of `dev`.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import psycopg

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[2]
SQL = ROOT / "rpc/sql/kb"
SEARCH = (SQL / "visible.sql").read_text() + (SQL / "search.sql").read_text()
STORE = (SQL / "store.sql").read_text()
BUILTIN = "builtin-hash-1"


def pieces():
    """Cut and embedded by core; a file of them can be given where there is no cargo."""
    if path := os.environ.get("KB_PIECES"):
        return json.loads(pathlib.Path(path).read_text())
    command = ["cargo", "run", "--quiet", "-p", "fieldcrm-core", "--example", "kb_pieces"]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)


def minilm(data, cache):
    """The same with the real model; kept in a file beside the build, because it takes a minute."""
    from embed import MODEL, MiniLm

    known = json.loads(cache.read_text()) if cache.exists() else {}
    model = MiniLm()

    def embed(text):
        if text not in known:
            known[text] = model.embed(text)
        return known[text]

    for article in data["articles"]:
        article["chunks"] = [{**chunk, "embedding": embed(chunk["text"])} for chunk in article["chunks"]]
    for question in data["questions"]:
        question["embedding"] = embed(question["query"])
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_text(json.dumps(known))
    return MODEL, data


def prepare(cursor, name, statement):
    cursor.execute(f"prepare {name} (jsonb) as {statement}".encode(), prepare=False)


def run(cursor, name, document):
    cursor.execute(psycopg.sql.SQL("execute {} ({}::jsonb)").format(psycopg.sql.Identifier(name), psycopg.sql.Literal(json.dumps(document))), prepare=False)
    return cursor.fetchone()[0]


def fill(cursor, org, model, articles):
    cursor.execute("delete from public.kb_articles")
    for article in articles:
        cursor.execute(
            "insert into public.kb_articles (org_id, slug, title, body_markdown, category, is_published) values (%s, %s, %s, %s, %s, true) returning id",
            (org, article["slug"], article["title"], article["body"], article["category"]))
        chunks = [{key: chunk[key] for key in ("index", "heading", "content", "embedding")} for chunk in article["chunks"]]
        run(cursor, "store", {"article_id": str(cursor.fetchone()[0]), "version": 1, "model": model, "chunks": chunks})
    cursor.execute("analyze public.kb_articles, public.kb_article_chunks")


def recall(cursor, org, model, questions, by):
    """The part of the questions whose article is among the first five, and the mean reciprocal rank."""
    found, ranks, times, missed = 0, 0.0, [], []
    for question in questions:
        document = {"org_id": org, "public_only": False, "category": None, "model": model, "page_size": 5, "weight": 0.1 if model == BUILTIN else 2, "least": 0 if model == BUILTIN else 0.5,
                    "query": "" if by == "meaning" else question["query"],
                    "embedding": None if by == "words" else question["embedding"]}
        start = time.perf_counter()
        results = [result["slug"] for result in run(cursor, "search", document)["results"]]
        times.append(time.perf_counter() - start)
        if question["slug"] in results:
            found += 1
            ranks += 1 / (results.index(question["slug"]) + 1)
        else:
            missed.append(question["query"])
    if os.environ.get("VERBOSE"):
        print("   missed:", *missed, sep="\n     ")
    return found / len(questions), ranks / len(questions), sorted(times)[int(len(times) * 0.95)] * 1000


def main():
    split = sys.argv[1] if len(sys.argv) > 1 else "test"
    data = pieces()
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        org = str(cursor.execute("select id from public.orgs order by id limit 1").fetchone()[0])
        prepare(cursor, "search", SEARCH)
        prepare(cursor, "store", STORE)
        rows = []
        for name, make in (("builtin", lambda: (BUILTIN, data)), ("MiniLM", lambda: minilm(data, ROOT / "target/kb/minilm.json"))):
            model, embedded = make()
            questions = [question for question in embedded["questions"] if question["split"] == split]
            fill(cursor, org, model, embedded["articles"])
            if not rows:
                rows.append(("words", *recall(cursor, org, model, questions, "words")))
            rows += [(f"{by} ({name})", *recall(cursor, org, model, questions, by)) for by in ("meaning", "both")]
        connection.rollback()
    print(f"{len(data['articles'])} articles, {len(questions)} questions ({split}):\n")
    print(f"  {'by':<20} {'recall@5':>9} {'MRR@5':>7} {'p95 ms':>8}")
    for name, share, rank, slow in rows:
        print(f"  {name:<20} {share:>9.2f} {rank:>7.3f} {slow:>8.1f}")
    best = {name: share for name, share, *_ in rows}
    sys.exit(best["both (MiniLM)"] < max(best["words"], best["meaning (MiniLM)"]))


if __name__ == "__main__":
    main()
