//! What fieldcrm does about language by itself, and how it talks to those who do more.

pub mod answer;
pub mod cited;
pub mod draft;
pub mod insight;
pub mod lead_score;
pub mod phrase;
pub mod prompt;
pub mod redact;
pub mod segment_score;
pub mod sentiment;
pub mod suggestion;
