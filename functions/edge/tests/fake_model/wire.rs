//! What providers send, as their references have it.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use serde_json::{Value, json};

use super::{End, MODEL, Says, Wire};

pub fn whole(wire: Wire, says: &Says) -> Value {
    match wire {
        Wire::OpenAi => {
            let text = says.json.as_ref().map_or_else(|| says.text.to_owned(), Value::to_string);
            let refusal = (says.end == End::Refused).then_some("I cannot help with that.");
            json!({
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": MODEL,
                "choices": [{"index": 0, "logprobs": null, "finish_reason": reason(wire, says.end),
                    "message": {"role": "assistant", "content": text, "refusal": refusal, "annotations": []}}],
                "usage": {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19,
                    "prompt_tokens_details": {"cached_tokens": 2}},
            })
        }
        Wire::Anthropic => {
            let content = says.json.as_ref().map_or_else(
                || json!({"type": "text", "text": says.text}),
                |input| json!({"type": "tool_use", "id": "toolu_1", "name": "plan", "input": input}),
            );
            json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": MODEL, "content": [content],
                "stop_reason": reason(wire, says.end), "stop_sequence": null,
                "usage": {"input_tokens": 10, "cache_read_input_tokens": 2, "output_tokens": 7},
            })
        }
        Wire::Bedrock => {
            let content = says.json.as_ref().map_or_else(
                || json!({"text": says.text}),
                |input| json!({"toolUse": {"toolUseId": "tooluse_1", "name": "plan", "input": input}}),
            );
            json!({
                "output": {"message": {"role": "assistant", "content": [content]}},
                "stopReason": reason(wire, says.end), "metrics": {"latencyMs": 551},
                "usage": {"inputTokens": 12, "outputTokens": 7, "totalTokens": 19},
            })
        }
    }
}

fn reason(wire: Wire, end: End) -> &'static str {
    match (wire, end) {
        (Wire::OpenAi, End::Said | End::Refused) => "stop",
        (Wire::OpenAi, End::CutOff) => "length",
        (_, End::Said) => "end_turn",
        (_, End::CutOff) => "max_tokens",
        (Wire::Anthropic, End::Refused) => "refusal",
        (Wire::Bedrock, End::Refused) => "guardrail_intervened",
    }
}

/// The same answer as events, a word at a time.
pub fn streamed(wire: Wire, says: &Says) -> Vec<u8> {
    let end = reason(wire, says.end);
    let (before, after) = match wire {
        Wire::OpenAi => {
            let refusal = json!({"refusal": "I cannot help with that."});
            let refusal = if says.end == End::Refused { chunk(&refusal, None) } else { Vec::new() };
            let usage = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [],
                "usage": {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}});
            let usage = format!("data: {usage}\n\ndata: [DONE]\n\n").into_bytes();
            (
                chunk(&json!({"role": "assistant", "content": ""}), None),
                [refusal, chunk(&json!({}), Some(end)), usage].concat(),
            )
        }
        Wire::Anthropic => {
            let start = json!({"type": "message_start", "message": {"id": "msg_1", "type": "message",
                "role": "assistant", "content": [], "model": MODEL, "stop_reason": null,
                "usage": {"input_tokens": 10, "cache_read_input_tokens": 2, "output_tokens": 1}}});
            let block = json!({"type": "content_block_start", "index": 0,
                "content_block": {"type": "text", "text": ""}});
            let delta = json!({"type": "message_delta", "delta": {"stop_reason": end},
                "usage": {"output_tokens": 7}});
            (
                [event(&start), event(&block), event(&json!({"type": "ping"}))].concat(),
                [
                    event(&json!({"type": "content_block_stop", "index": 0})),
                    event(&delta),
                    event(&json!({"type": "message_stop"})),
                ]
                .concat(),
            )
        }
        Wire::Bedrock => {
            let metadata = json!({"usage": {"inputTokens": 12, "outputTokens": 7, "totalTokens": 19},
                "metrics": {"latencyMs": 551}});
            (
                frame("messageStart", &json!({"role": "assistant"})),
                [
                    frame("contentBlockStop", &json!({"contentBlockIndex": 0})),
                    frame("messageStop", &json!({"stopReason": end})),
                    frame("metadata", &metadata),
                ]
                .concat(),
            )
        }
    };
    let words = says.text.split_inclusive(' ').flat_map(|text| word(wire, text));
    before.into_iter().chain(words).chain(after).collect()
}

/// One piece of a text.
pub fn word(wire: Wire, text: &str) -> Vec<u8> {
    match wire {
        Wire::OpenAi => chunk(&json!({"content": text}), None),
        Wire::Anthropic => event(&json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "text_delta", "text": text}})),
        Wire::Bedrock => {
            frame("contentBlockDelta", &json!({"contentBlockIndex": 0, "delta": {"text": text}}))
        }
    }
}

fn chunk(delta: &Value, end: Option<&str>) -> Vec<u8> {
    let chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": MODEL, "usage": null,
        "choices": [{"index": 0, "delta": delta, "finish_reason": end}]});
    format!("data: {chunk}\n\n").into_bytes()
}

fn event(event: &Value) -> Vec<u8> {
    format!("event: {}\r\ndata: {event}\r\n\r\n", event["type"].as_str().unwrap()).into_bytes()
}

fn frame(event: &'static str, body: &Value) -> Vec<u8> {
    message(&[(":event-type", event), (":message-type", "event")], body)
}

fn message(headers: &[(&'static str, &'static str)], body: &Value) -> Vec<u8> {
    let mut message = Message::new(body.to_string().into_bytes())
        .add_header(Header::new(":content-type", HeaderValue::String("application/json".into())));
    for (name, value) in headers {
        message = message.add_header(Header::new(*name, HeaderValue::String((*value).into())));
    }
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

/// How a provider says in the middle of an answer that there will be no more.
pub fn gives_up(wire: Wire) -> Vec<u8> {
    let said = "secret overload";
    match wire {
        Wire::OpenAi => format!("data: {}\n\n", json!({"error": {"message": said}})).into_bytes(),
        Wire::Anthropic => {
            let error =
                json!({"type": "error", "error": {"type": "overloaded_error", "message": said}});
            format!("event: error\ndata: {error}\n\n").into_bytes()
        }
        Wire::Bedrock => message(
            &[(":exception-type", "throttlingException"), (":message-type", "exception")],
            &json!({"message": said}),
        ),
    }
}
