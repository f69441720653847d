//! `/crm/leads`

use axum::Json;
use axum::extract::State;
use fieldcrm_edge::{Caller, JsonObject, Ports, Problem, arguments};
use serde_json::Value;

/// The arguments of `crm_score_leads`; a test holds them equal to core's.
const ARGUMENTS: [&str; 2] = ["lead_ids", "page_size"];

/// `POST /crm/leads/score`: without a body, the open leads that wait longest.
pub async fn score_leads(
    State(ports): State<Ports>,
    caller: Caller,
    body: Option<JsonObject>,
) -> Result<Json<Value>, Problem> {
    let body = body.map(|JsonObject(body)| body).unwrap_or_default();
    let arguments = arguments(body, None, &ARGUMENTS, "a request for scores")?;
    Ok(Json(ports.database.rpc(&caller, "crm_score_leads", arguments).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_argument_names_are_those_of_core() {
        use fieldcrm_core::ai::lead_score::ScoreLeads;
        let core = serde_aux::serde_introspection::serde_introspect::<ScoreLeads>();
        assert_eq!(ARGUMENTS, core);
    }
}
