//! `up` and `down` of the stack engineers work with.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::stack::{Kind, Stack};
use crate::{banner, interrupt};

pub fn up(detach: bool) -> Result<ExitCode> {
    Stack::prepare_machine()?;
    let stack = Stack::open(Kind::Dev)?;
    let lock = stack.lock()?;
    let was_running = stack.is_running();
    let before = stack.gateway().pid();
    if let Err(error) = bring_up(&stack) {
        // Nothing half-started stays behind; what ran before this command is left to run.
        interrupt::acknowledge();
        if !was_running {
            stack.stop()?;
        }
        return Err(error);
    }
    drop(lock);
    banner::print(&stack);
    let after = stack.gateway().pid();
    if before.is_some() && before == after {
        println!("\nIt was already running; `cargo xtask down` stops it.");
        return Ok(ExitCode::SUCCESS);
    }
    if detach {
        println!("\nIt runs until `cargo xtask down`.");
        return Ok(ExitCode::SUCCESS);
    }
    println!("\nCtrl-C stops it. Its log follows.\n");
    follow(&stack)
}

fn bring_up(stack: &Stack) -> Result<()> {
    let build = stack.start_cluster()?;
    stack.prepare_database(&build)?;
    stack.start_gateway()?;
    stack.write_environment()
}

/// Shows the gateway's log until Ctrl-C, `down` in another terminal, or its end.
fn follow(stack: &Stack) -> Result<ExitCode> {
    let gateway = stack.gateway();
    let mut log = open_log(stack)?;
    let mut pid = gateway.pid();
    let mut missing_since: Option<Instant> = None;
    loop {
        show_new(&mut log)?;
        if interrupt::acknowledge() {
            println!();
            let _lock = stack.lock()?;
            stack.stop()?;
            return Ok(ExitCode::SUCCESS);
        }
        let now = gateway.pid();
        match now {
            // Another `up` restarted it with new code: its log is a new file.
            Some(_) if now != pid => {
                pid = now;
                log = open_log(stack)?;
            }
            Some(_) => missing_since = None,
            None => {
                let since = *missing_since.get_or_insert_with(Instant::now);
                // A restart by another command takes a moment and holds the lock meanwhile.
                if since.elapsed() > Duration::from_secs(1)
                    && let Ok(_lock) = stack.lock()
                    && gateway.pid().is_none()
                {
                    show_new(&mut log)?;
                    if !stack.cluster.is_running() {
                        println!("The stack was stopped.");
                        return Ok(ExitCode::SUCCESS);
                    }
                    let words = gateway.last_words();
                    stack.stop()?;
                    bail!("the gateway ended: {words}");
                }
            }
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn open_log(stack: &Stack) -> Result<File> {
    File::open(stack.gateway().log()).context("cannot read the gateway's log")
}

fn show_new(log: &mut File) -> Result<()> {
    // A restart may have emptied the very file we have open.
    let position = log.stream_position()?;
    if log.metadata()?.len() < position {
        log.seek(SeekFrom::Start(0))?;
    }
    let mut text = Vec::new();
    log.read_to_end(&mut text)?;
    let mut output = std::io::stdout().lock();
    // Nobody reading any more is no reason to leave the stack without its keeper.
    let _ = output.write_all(&text).and_then(|()| output.flush());
    Ok(())
}

pub fn down() -> Result<ExitCode> {
    let Some(stack) = Stack::existing(Kind::Dev)? else {
        println!("The stack was never brought up here: nothing to stop.");
        return Ok(ExitCode::SUCCESS);
    };
    let _lock = stack.lock()?;
    if stack.is_running() {
        stack.stop()?;
    } else {
        println!("The stack is not running.");
    }
    Ok(ExitCode::SUCCESS)
}
