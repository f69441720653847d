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
    let words = says.text.split_inclusive(' ');
    let end = reason(wire, says.end);
    match wire {
        Wire::OpenAi => {
            let chunk = |delta: Value, end: Value| {
                json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": MODEL, "usage": null,
                    "choices": [{"index": 0, "delta": delta, "finish_reason": end}]})
            };
            let mut all = vec![chunk(json!({"role": "assistant", "content": ""}), Value::Null)];
            all.extend(words.map(|word| chunk(json!({"content": word}), Value::Null)));
            if says.end == End::Refused {
                all.push(chunk(json!({"refusal": "I cannot help with that."}), Value::Null));
            }
            all.push(chunk(json!({}), end.into()));
            all.push(json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [],
                "usage": {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}}));
            let lines = all.iter().map(|one| format!("data: {one}\n\n"));
            lines.chain(["data: [DONE]\n\n".to_owned()]).collect::<String>().into_bytes()
        }
        Wire::Anthropic => {
            let mut all = vec![
                json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant",
                    "content": [], "model": MODEL, "stop_reason": null,
                    "usage": {"input_tokens": 10, "cache_read_input_tokens": 2, "output_tokens": 1}}}),
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
                json!({"type": "ping"}),
            ];
            all.extend(words.map(|word| {
                json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}})
            }));
            all.extend([
                json!({"type": "content_block_stop", "index": 0}),
                json!({"type": "message_delta", "delta": {"stop_reason": end}, "usage": {"output_tokens": 7}}),
                json!({"type": "message_stop"}),
            ]);
            let event = |one: &Value| {
                format!("event: {}\r\ndata: {one}\r\n\r\n", one["type"].as_str().unwrap())
            };
            all.iter().map(event).collect::<String>().into_bytes()
        }
        Wire::Bedrock => {
            let mut all = vec![frame("messageStart", &json!({"role": "assistant"}))];
            all.extend(words.map(|word| {
                frame(
                    "contentBlockDelta",
                    &json!({"contentBlockIndex": 0, "delta": {"text": word}}),
                )
            }));
            all.extend([
                frame("contentBlockStop", &json!({"contentBlockIndex": 0})),
                frame("messageStop", &json!({"stopReason": end})),
                frame(
                    "metadata",
                    &json!({"usage": {"inputTokens": 12, "outputTokens": 7, "totalTokens": 19},
                        "metrics": {"latencyMs": 551}}),
                ),
            ]);
            all.concat()
        }
    }
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
