//! The Node process that stands in for Supabase, with the edge functions it starts itself.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::fingerprint::{Fingerprint, Stamp};
use crate::stack::{Kind, Stack};
use crate::{checkout, interrupt, port, proc, wasm};

/// In the environment of the gateway and of all it starts: how its processes are found again,
/// even when a crash left no pid file or the pid went to another program.
const MARK: &str = "FIELDCRM_STACK_DIR";
const READY: Duration = Duration::from_mins(1);

pub struct Gateway<'a> {
    stack: &'a Stack,
}

impl<'a> Gateway<'a> {
    pub fn new(stack: &'a Stack) -> Self {
        Self { stack }
    }

    pub fn log(&self) -> PathBuf {
        self.stack.directory.join("gateway.log")
    }

    fn pid_file(&self) -> PathBuf {
        self.stack.directory.join("gateway.pid")
    }

    fn stamp(&self) -> Stamp {
        Stamp::new(self.stack.directory.join("gateway.stamp"))
    }

    /// The pid of the gateway that was started last, if that is still alive.
    pub fn pid(&self) -> Option<u32> {
        let pid: u32 = fs::read_to_string(self.pid_file()).ok()?.trim().parse().ok()?;
        self.processes().contains(&pid).then_some(pid)
    }

    fn processes(&self) -> Vec<u32> {
        let alive = proc::all().into_iter().filter(|pid| proc::is_alive(*pid));
        let alive: Vec<(u32, Option<u32>)> = alive.map(|pid| (pid, proc::group(pid))).collect();
        let marked: Vec<u32> = alive
            .iter()
            .filter(|(pid, _)| proc::has_variable(*pid, MARK, &self.stack.directory))
            .filter_map(|(_, group)| *group)
            .collect();
        // A function gets an environment of its own, but stays in the gateway's group.
        alive
            .into_iter()
            .filter(|(_, group)| group.is_some_and(|group| marked.contains(&group)))
            .map(|(pid, _)| pid)
            .collect()
    }

    pub fn is_running(&self) -> bool {
        !self.processes().is_empty()
    }

    pub fn is_healthy(&self) -> bool {
        answers(self.stack.api_port())
    }

    fn fingerprint(&self) -> Result<String> {
        let sources = ["supabase/local", "supabase/functions", "supabase/config.toml"];
        Ok(Fingerprint::default()
            .paths(&sources.map(checkout::path))?
            .path(&checkout::path("package-lock.json"))?
            .path(&wasm::output())?
            .text(&self.stack.secrets.jwt_secret)
            .hex())
    }

    pub fn start(&self) -> Result<&'static str> {
        let fingerprint = self.fingerprint()?;
        let running = self.is_running();
        if self.pid().is_some() && self.stamp().matches(&fingerprint) && self.is_healthy() {
            return Ok("already running");
        }
        self.stop()?;
        port::require_free(self.stack.api_port(), "the API")?;
        let mut child = self.spawn()?;
        fs::write(self.pid_file(), child.id().to_string())?;
        self.wait_until_ready(&mut child)?;
        self.stamp().write(&fingerprint)?;
        Ok(if running { "restarted" } else { "started" })
    }

    fn spawn(&self) -> Result<Child> {
        let log = File::create(self.log()).context("cannot write the gateway's log")?;
        let errors = log.try_clone().context("cannot write the gateway's log")?;
        let secrets = &self.stack.secrets;
        let database = self.stack.database().as_role("gateway", &secrets.gateway_password);
        let storage = self.stack.directory.join("storage");
        fs::create_dir_all(&storage).context("cannot create the storage directory")?;
        Command::new("node")
            .arg(checkout::path("supabase/local/gateway.mjs"))
            .current_dir(checkout::root())
            .env("PORT", self.stack.api_port().to_string())
            .env("DATABASE_URL", database.url())
            .env("SUPABASE_JWT_SECRET", &secrets.jwt_secret)
            .env("SUPABASE_PUBLISHABLE_KEY", &secrets.publishable_key)
            .env("SUPABASE_SECRET_KEY", &secrets.secret_key)
            .env("STORAGE_DIR", storage)
            // Tests call the functions themselves.
            .env("FIELDCRM_TICKS", if self.stack.kind == Kind::Dev { "on" } else { "off" })
            .env(MARK, &self.stack.directory)
            .env("DO_NOT_TRACK", "1")
            .env("NO_COLOR", "1")
            .env_remove("FORCE_COLOR")
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            // A group of its own: Ctrl-C in this terminal is for xtask, which stops it in order.
            .process_group(0)
            .spawn()
            .context("cannot start node")
    }

    fn wait_until_ready(&self, child: &mut Child) -> Result<()> {
        let started = Instant::now();
        while !self.is_healthy() {
            interrupt::check()?;
            if let Some(status) = child.try_wait().context("cannot wait for the gateway")? {
                let _ = fs::remove_file(self.pid_file());
                bail!("the gateway ended ({status}): {}", self.last_words());
            }
            if started.elapsed() > READY {
                self.stop()?;
                bail!("the gateway is not healthy after 60 s: {}", self.last_words());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    pub fn last_words(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let said = log
            .lines()
            .rev()
            .find(|line| line.contains("Error") || line.contains("error"))
            .or_else(|| log.lines().rev().find(|line| !line.trim().is_empty()))
            .unwrap_or("it wrote nothing");
        format!("{} (log: {})", said.trim(), self.log().display())
    }

    /// Stops the gateway and its functions, also those an earlier, killed run left behind.
    pub fn stop(&self) -> Result<bool> {
        let processes = self.processes();
        let stopped = proc::stop_all(&processes, Duration::from_secs(5));
        let _ = fs::remove_file(self.pid_file());
        if !stopped {
            bail!("the gateway (processes {processes:?}) does not stop: end them and retry");
        }
        Ok(!processes.is_empty())
    }
}

/// `GET /healthz`, by hand: one request does not need an HTTP client.
fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(String::from_utf8_lossy(&start).into_owned())
    };
    ask().is_ok_and(|start| start.ends_with(" 200"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn serve_once(answer: &'static str) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 256];
            let _ = stream.read(&mut request);
            stream.write_all(answer.as_bytes()).unwrap();
        });
        port
    }

    #[test]
    fn only_200_is_healthy() {
        assert!(answers(serve_once("HTTP/1.1 200 OK\r\n\r\nok")));
        assert!(!answers(serve_once("HTTP/1.1 503 Unavailable\r\n\r\n")));
    }
}
