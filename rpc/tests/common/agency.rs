//! A client with members and a project, for one test.

use serde_json::Value;
use uuid::Uuid;

use super::Context;

#[allow(clippy::struct_field_names, reason = "named as the columns")]
pub struct Agency {
    pub org_id: Uuid,
    pub client_id: Uuid,
    pub project_id: Uuid,
}

impl Agency {
    /// In the context's transaction. Members: role in the org, role in the client; their part in the project follows.
    pub async fn make(context: &Context, org_id: Uuid, members: &[(&str, &str)]) -> Self {
        let sql = "insert into clients (org_id, name, created_by_user_id) values ($1, 'Acme', null) returning id";
        let client_id: Uuid = context.client.query_one(sql, &[&org_id]).await.unwrap().get(0);
        for (profile, role) in members {
            let sql = "insert into client_members (org_id, client_id, user_id, role, joined_at)
                select p.org_id, $2, p.id, $4, clock_timestamp() from profiles p where p.org_id = $1 and p.email like $3 || '@%'";
            let added = context.client.execute(sql, &[&org_id, &client_id, profile, role]).await;
            assert_eq!(added.unwrap(), 1, "{profile}");
        }
        let project_id = Self::project(context, org_id, client_id).await;
        Self { org_id, client_id, project_id }
    }

    /// One more project of the client.
    pub async fn project(context: &Context, org_id: Uuid, client_id: Uuid) -> Uuid {
        let sql = "insert into projects (org_id, client_id, name, created_by_user_id, created_at)
            values ($1, $2, 'Spring campaign', null, clock_timestamp()) returning id";
        context.client.query_one(sql, &[&org_id, &client_id]).await.unwrap().get(0)
    }

    pub async fn set(&self, context: &Context, settings: Value) {
        let sql = "update projects set settings = $2 where id = $1";
        let settings = tokio_postgres::types::Json(settings);
        context.client.execute(sql, &[&self.project_id, &settings]).await.unwrap();
    }

    /// A door that leads to the project.
    pub async fn channel(&self, context: &Context, channel: &str, address: &str, settings: Value) {
        let sql = "insert into org_channels (org_id, client_id, project_id, channel, address, settings, secret_name)
            values ($1, $2, $3, $4, $5, $6, 'FORM_SECRET')";
        let settings = tokio_postgres::types::Json(settings);
        context
            .client
            .execute(
                sql,
                &[&self.org_id, &self.client_id, &self.project_id, &channel, &address, &settings],
            )
            .await
            .unwrap();
    }
}
