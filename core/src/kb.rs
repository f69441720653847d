//! The knowledge base: how articles are cut into what a search finds, and what a search may ask.

mod chunk;
mod embedding;
mod query;

pub use chunk::{Chunk, MAX_CHUNKS, MAX_WORDS, OVERLAP_WORDS, TARGET_WORDS, chunks};
pub(crate) use embedding::words;
pub use embedding::{BUILTIN_MODEL, DIMENSIONS, Embedding, Fusion, builtin, fusion, is_usable};
pub use query::{
    ClaimArticles, GetArticle, ListArticles, MAX_MODEL, MAX_QUERY, Search, StoreChunks, StoredChunk,
};
