//! A program under measurement: a child process, its processor time and its memory.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::target::Target;

/// A child process that receives; ended when it is dropped.
pub struct Program {
    child: Child,
    pub hooks: SocketAddr,
    pub admin: Option<SocketAddr>,
    /// From its start to its being ready.
    pub start: Duration,
}

/// A folder with a configuration and recipes for a daemon.
pub struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    /// `pms` books a cleaning at `target` for each booking, `held` at a target that is not there.
    pub fn new(target: &Target) -> Site {
        // Beside the program: where it is built there is a real disk, the place for temporary files may be memory.
        let beside = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let folder = tempfile::tempdir_in(beside).unwrap();
        let address = target.address;
        let config = format!(
            r#"listen: 127.0.0.1:0
admin: {{listen: "127.0.0.1:0"}}
sources:
  pms: {{preset: hospitable-v1, token: "a-token-for-the-benchmark"}}
  held: {{preset: hospitable-v1, token: "a-token-for-the-benchmark"}}
connections:
  tasks: {{http: {{base_url: "http://{address}", concurrency: 64}}}}
  dead: {{http: {{base_url: "http://127.0.0.1:9", concurrency: 4}}}}
"#
        );
        std::fs::write(folder.path().join("config.yaml"), config).unwrap();
        std::fs::create_dir(folder.path().join("recipes")).unwrap();
        for (source, connection) in [("pms", "tasks"), ("held", "dead")] {
            let recipe = format!(
                r#"name: Book the cleaning for {source}
on: {{event: reservation.confirmed}}
match: {{source: {source}, nights: ">= 2"}}
when: reservation.guests > 1
actions:
  - http:
      connection: {connection}
      method: PUT
      url: /tasks/{{{{ reservation.code }}}}
      json:
        property: "{{{{ property.name }}}}"
        starts: "{{{{ reservation.check_out }}}}"
        guests: "{{{{ reservation.guests }}}}"
        note: "{{{{ reservation.guest.first_name }}}} leaves on {{{{ reservation.check_out | date('%d %b') }}}}"
      output: {{id: $.task.id}}
"#
            );
            std::fs::write(folder.path().join(format!("recipes/{source}.yaml")), recipe).unwrap();
        }
        Site { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the daemon and waits until it is ready.
    pub fn serve(&self) -> Program {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stayhook"));
        // As it is run for real: every line is logged, into a pipe that is read.
        command.arg("serve").current_dir(self.path()).stderr(Stdio::piped());
        let began = Instant::now();
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let (hooks, admin) = loop {
            let Some(Ok(line)) = lines.next() else {
                panic!("the daemon did not start:\n{said}");
            };
            let value: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if let (Some(hooks), Some(admin)) = (value["hooks"].as_str(), value["admin"].as_str()) {
                break (hooks.parse().unwrap(), admin.parse().unwrap());
            }
            said.push_str(&line);
            said.push('\n');
        };
        std::thread::spawn(move || lines.for_each(drop));
        while !ready(admin) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Program {
            child,
            hooks,
            admin: Some(admin),
            start: began.elapsed(),
        }
    }

    /// Starts this program as a yardstick.
    pub fn yardstick(&self, kind: &str) -> Program {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--yardstick", kind, "--folder"])
            .arg(self.path())
            .stdout(Stdio::piped());
        let began = Instant::now();
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        Program {
            child,
            hooks: line.trim().parse().expect("the yardstick says its address"),
            admin: None,
            start: began.elapsed(),
        }
    }
}

impl Program {
    /// Processor time so far, user and system, all threads.
    pub fn cpu(&self) -> Duration {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The name in brackets may hold spaces; user and system time are fields 14 and 15, in ticks of 10 ms.
        let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    /// Resident memory in MB: now, and the most there was.
    pub fn memory_mb(&self) -> (f64, f64) {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let of = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1000.0
        };
        (of("VmRSS:"), of("VmHWM:"))
    }

    /// An answer of its admin listener, head and body.
    pub fn get(&self, path: &str) -> String {
        get(self.admin.unwrap(), path)
    }

    /// A figure of its `/metrics`.
    pub fn metric(&self, name: &str) -> f64 {
        let text = get(self.admin.unwrap(), "/metrics");
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
            .unwrap_or_else(|| panic!("no {name} in\n{text}"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ready(admin: SocketAddr) -> bool {
    get(admin, "/readyz").starts_with("HTTP/1.1 200")
}

fn get(address: SocketAddr, path: &str) -> String {
    use std::io::{Read as _, Write as _};
    let Ok(mut stream) = std::net::TcpStream::connect(address) else {
        return String::new();
    };
    let mut text = String::new();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let _ = stream.write_all(request.as_bytes());
    let _ = stream.read_to_string(&mut text);
    text
}
