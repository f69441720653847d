#![allow(clippy::unwrap_used)]
mod common;
use common::{Target, connect};
use serde_json::json;
use std::time::{Duration, Instant};
const BARE: &str = "with due as materialized (select id from bare_queue where vt <= now() order by vt, id limit 100 for update skip locked) , u as (update bare_queue q set vt = now() + interval '10 minute', attempts = attempts+1 from due d where q.id=d.id returning q.*) select json_agg(u) from u";
#[tokio::test]
async fn bench() {
    fn cpu() -> f64 { let t = std::fs::read_to_string("/proc/self/stat").unwrap(); let f: Vec<&str> = t.rsplit(')').next().unwrap().split_whitespace().collect(); (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) * 10.0 }

    let secs = Duration::from_secs(4);
    for round in 0..2 {
        let c = connect(Target::Native).await;
        c.batch_execute("update bare_queue set vt = now()").await.unwrap();
        c.batch_execute("update crm_outbox set status='queued', leased_until=null where status='sending'; update fieldcrm.outbox_queue set due_at=now() - interval '1 minute'").await.unwrap();
        for t in ["bare_queue", "crm_outbox", "fieldcrm.outbox_queue"] {
            c.batch_execute(&format!("vacuum analyze {t}")).await.unwrap();
        }
        let mut set = Vec::new();
        let (start, used) = (Instant::now(), cpu());
        for _ in 0..4 {
            set.push(std::thread::spawn(move || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async move {
                let client = connect(Target::Native).await;
                let st = client.prepare(BARE).await.unwrap();
                let mut n = 0;
                while start.elapsed() < secs {
                    let row = client.query_one(&st, &[]).await.unwrap();
                    let v: Option<serde_json::Value> = row.get(0);
                    let Some(v) = v else { break };
                    n += v.as_array().unwrap().len();
                }
                n
            })));
        }
        let n: usize = set.into_iter().map(|t| t.join().unwrap()).sum();
        println!("bare client cpu/batch {:.2} ms", (cpu() - used) / (n as f64 / 100.0)); let bare = n as f64 / start.elapsed().as_secs_f64();
        let mut set = Vec::new();
        let (start, used) = (Instant::now(), cpu());
        for _ in 0..4 {
            set.push(std::thread::spawn(move || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async move {
                let client = connect(Target::Native).await;
                let mut prepared = fieldcrm_rpc::tokio::Prepared::default();
                let mut n = 0;
                while start.elapsed() < secs {
                    client.batch_execute("begin").await.unwrap();
                    let mut db = fieldcrm_rpc::tokio::TokioDb { client: &client, prepared: &mut prepared };
                    let out = fieldcrm_rpc::dispatch(&mut db, "crm_claim_messages", json!({"batch_limit": 100, "lease_seconds": 600, "providers": {"email": "log"}})).await.unwrap();
                    client.batch_execute("commit").await.unwrap();
                    let got = out["messages"].as_array().unwrap().len();
                    if got == 0 { break }
                    n += got;
                }
                n
            })));
        }
        let n: usize = set.into_iter().map(|t| t.join().unwrap()).sum();
        println!("ours client cpu/batch {:.2} ms", (cpu() - used) / (n as f64 / 100.0)); let ours = n as f64 / start.elapsed().as_secs_f64();
        println!("round {round}: bare {bare:.0}/s ours {ours:.0}/s ratio {:.2} ({n})", ours / bare);
    }
}
