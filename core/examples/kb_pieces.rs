//! What the job makes of the articles of `xtask/bench/kb` with the builtin embeddings: JSON for measure.py.

use std::io;

use fieldcrm_core::kb::{builtin, chunks};
use serde_json::{Value, json};

const ARTICLES: &str = include_str!("../../xtask/bench/kb/articles.json");
const QUESTIONS: &str = include_str!("../../xtask/bench/kb/questions.json");

fn main() -> Result<(), serde_json::Error> {
    let mut articles: Vec<Value> = serde_json::from_str(ARTICLES)?;
    for article in &mut articles {
        let title = article["title"].as_str().unwrap_or_default().to_owned();
        let pieces = chunks(article["body"].as_str().unwrap_or_default());
        article["chunks"] = pieces
            .iter()
            .map(|piece| {
                let text = piece.text(&title);
                let embedding = builtin(&text).to_vec();
                json!({
                    "index": piece.index, "heading": piece.heading, "content": piece.content,
                    "text": text, "embedding": embedding,
                })
            })
            .collect();
    }
    let mut questions: Vec<Value> = serde_json::from_str(QUESTIONS)?;
    for question in &mut questions {
        let embedding = builtin(question["query"].as_str().unwrap_or_default()).to_vec();
        question["embedding"] = json!(embedding);
    }
    serde_json::to_writer(io::stdout(), &json!({"articles": articles, "questions": questions}))
}
