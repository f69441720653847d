//! A streamed answer as events: server-sent ones, or those of AWS.

use std::fmt;
use std::pin::Pin;

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use axum::body::Bytes;
use bytes::BytesMut;
use futures_util::{Stream, StreamExt, stream};
use sse_stream::SseByteStream;
use web_time::Instant;

use super::Limits;
use super::model::MAX_ANSWER;
use crate::clock::within;
use crate::http::{Chunks, left};

pub(super) struct Event {
    /// What the frame says of it; nothing where it says nothing.
    pub name: String,
    pub data: Bytes,
}

pub(super) type Events = Pin<Box<dyn Stream<Item = Result<Event, Break>> + Send>>;

/// Why no more comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Break {
    Late,
    Dropped,
    TooLong,
    Malformed,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Break {}

/// The same, until it falls silent, takes too long or is too long.
pub(super) fn bounded(chunks: Chunks, limits: Limits) -> Chunks<Break> {
    let until = Instant::now() + limits.stream;
    Box::pin(stream::unfold((chunks, MAX_ANSWER), move |(mut chunks, room)| async move {
        let chunk = match within(limits.idle.min(left(until)), chunks.next()).await {
            None => Err(Break::Late),
            Some(None) => return None,
            Some(Some(Err(_))) => Err(Break::Dropped),
            Some(Some(Ok(chunk))) if chunk.len() > room => Err(Break::TooLong),
            Some(Some(Ok(chunk))) => Ok(chunk),
        };
        let room = room - chunk.as_ref().map_or(0, Bytes::len);
        Some((chunk, (chunks, room)))
    }))
}

pub(super) fn server_sent(chunks: Chunks<Break>) -> Events {
    Box::pin(SseByteStream::new(chunks).filter_map(async |event| match event {
        // Without data it is no event.
        Ok(event) => {
            let data = event.data?.into();
            Some(Ok(Event { name: event.event.unwrap_or_default(), data }))
        }
        Err(sse_stream::Error::Body(reason)) => {
            Some(Err(reason.downcast_ref().copied().unwrap_or(Break::Dropped)))
        }
        Err(_) => Some(Err(Break::Malformed)),
    }))
}

/// `application/vnd.amazon.eventstream`; each frame has checksums.
pub(super) fn of_aws(chunks: Chunks<Break>) -> Events {
    let start = (chunks, MessageFrameDecoder::new(), BytesMut::new());
    Box::pin(stream::unfold(start, async |(mut chunks, mut decoder, mut buffer)| {
        loop {
            match decoder.decode_frame(&mut buffer) {
                Err(_) => return Some((Err(Break::Malformed), (chunks, decoder, buffer))),
                Ok(DecodedFrame::Complete(message)) => {
                    let header = |name: &str| {
                        let header =
                            message.headers().iter().find(|one| one.name().as_str() == name);
                        header
                            .and_then(|one| Some(one.value().as_string().ok()?.as_str().to_owned()))
                    };
                    // Exceptions and errors have none.
                    let name = header(":event-type").unwrap_or_else(|| "exception".to_owned());
                    let event = Event { name, data: message.payload().clone() };
                    return Some((Ok(event), (chunks, decoder, buffer)));
                }
                Ok(DecodedFrame::Incomplete) => match chunks.next().await {
                    Some(Ok(chunk)) => buffer.extend_from_slice(&chunk),
                    Some(Err(reason)) => return Some((Err(reason), (chunks, decoder, buffer))),
                    None => return None,
                },
            }
        }
    }))
}
