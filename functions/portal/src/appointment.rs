//! `/portal/appointments`, `/portal/service-history`, `/portal/jobs`, `/portal/documents`

use axum::Router;
use fieldcrm_edge::Ports;

pub fn add(routes: Router<Ports>) -> Router<Ports> {
    routes
}
