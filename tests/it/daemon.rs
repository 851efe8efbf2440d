//! The real program as a child process: started, asked, stopped and killed.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long a test waits for the daemon before it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder with a configuration and recipes.
pub struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    /// Writes `config.yaml` (addresses on free ports are added) and the recipes.
    pub fn new(config: &str, recipes: &[&str]) -> Site {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("recipes")).unwrap();
        for (n, recipe) in recipes.iter().enumerate() {
            std::fs::write(folder.path().join(format!("recipes/{n}.yaml")), recipe).unwrap();
        }
        let site = Site { folder };
        site.configure(config);
        site
    }

    /// Writes `config.yaml` anew.
    pub fn configure(&self, config: &str) {
        let head = "listen: 127.0.0.1:0\nadmin: {listen: \"127.0.0.1:0\"}\n";
        std::fs::write(self.path().join("config.yaml"), format!("{head}{config}")).unwrap();
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The database, to look into while no daemon works on it.
    pub fn database(&self) -> String {
        format!("sqlite://{}", self.path().join("stayhook.db").display())
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(&program(), arguments)
    }

    fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.path())
            .env_remove("STAYHOOK_CONFIG")
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .kill_on_drop(true);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts the daemon and waits until it listens.
    pub async fn serve(&self, fault: Option<&str>) -> Daemon {
        let mut command = self.command(&["serve"]);
        if let Some(fault) = fault {
            command.env("STAYHOOK_FAULT", fault);
        }
        start(&mut command, true).await
    }

    /// The same, with a log that nobody reads before the end.
    pub async fn serve_unread(&self) -> Daemon {
        start(&mut self.command(&["serve"]), false).await
    }

    /// Starts what this command is, a `serve`, and waits until it listens.
    pub async fn start(&self, command: &mut Command) -> Daemon {
        start(command, true).await
    }

    /// The same, logging what `RUST_LOG` asks for.
    pub async fn serve_logging(&self, filter: &str) -> Daemon {
        self.start(self.command(&["serve"]).env("RUST_LOG", filter)).await
    }

    /// Starts the daemon where a shell has first done this, such as set a limit.
    pub async fn serve_after(&self, shell: &str) -> Daemon {
        start(&mut self.command_after(shell, "serve"), true).await
    }

    /// The program with one argument, where a shell has first done this.
    pub fn command_after(&self, shell: &str, argument: &str) -> Command {
        let line = format!("{shell}; exec '{}' {argument}", program().display());
        self.command_of(Path::new("sh"), &["-c", &line])
    }

    /// The same below a service manager whose socket `socket` is.
    pub async fn serve_under(&self, socket: &Path, watchdog: Duration, fault: Option<&str>) -> Daemon {
        let mut command = self.command(&["serve"]);
        command
            .env("NOTIFY_SOCKET", socket)
            .env("WATCHDOG_USEC", watchdog.as_micros().to_string());
        if let Some(fault) = fault {
            command.env("STAYHOOK_FAULT", fault);
        }
        start(&mut command, true).await
    }
}

async fn start(command: &mut Command, read: bool) -> Daemon {
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = String::new();
    let up = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            let value: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if let (Some(hooks), Some(admin)) = (value["hooks"].as_str(), value["admin"].as_str()) {
                return Some((hooks.to_owned(), admin.to_owned()));
            }
            said.push_str(&line);
            said.push('\n');
        }
        None
    };
    let addresses = tokio::time::timeout(PATIENCE, up)
        .await
        .expect("the daemon says where it listens");
    let (hooks, admin) = addresses.unwrap_or_else(|| panic!("the daemon did not start:\n{said}"));
    let mut reading = JoinSet::new();
    let log = std::sync::Arc::new(std::sync::Mutex::new(said));
    let own = log.clone();
    let ended = CancellationToken::new();
    let until = (!read).then(|| ended.clone());
    reading.spawn(async move {
        if let Some(until) = until {
            until.cancelled().await;
        }
        while let Ok(Some(line)) = lines.next_line().await {
            let mut log = own.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    });
    Daemon {
        child,
        hooks,
        admin,
        log,
        reading,
        over: ended,
    }
}

fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_stayhook"))
}

/// A running daemon.
pub struct Daemon {
    child: Child,
    pub hooks: String,
    pub admin: String,
    log: std::sync::Arc<std::sync::Mutex<String>>,
    reading: JoinSet<()>,
    /// Said once the daemon has ended, to whoever reads its log only then.
    over: CancellationToken,
}

impl Daemon {
    /// Ends it at once, as `kill -9` does.
    pub async fn kill(mut self) {
        self.child.start_kill().unwrap();
        self.child.wait().await.unwrap();
    }

    /// The same; what it logged before.
    pub async fn kill_and_read(mut self) -> String {
        self.child.start_kill().unwrap();
        self.child.wait().await.unwrap();
        self.over.cancel();
        while self.reading.join_next().await.is_some() {}
        self.log.lock().unwrap().clone()
    }

    /// Its process.
    pub fn id(&self) -> String {
        self.child.id().unwrap().to_string()
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let ended = ended.unwrap_or_else(|_| panic!("the daemon does not end: {}", self.log.lock().unwrap()));
        ended.unwrap()
    }

    /// Tells it to stop (SIGTERM) and waits; what it logged.
    pub async fn stop(mut self) -> (ExitStatus, String) {
        let id = self.id();
        assert!(
            std::process::Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        let status = self.ended().await;
        self.over.cancel();
        let reading = async { while self.reading.join_next().await.is_some() {} };
        tokio::time::timeout(PATIENCE, reading).await.unwrap();
        let log = self.log.lock().unwrap().clone();
        (status, log)
    }

    /// Tells it to read its files again (SIGHUP).
    pub fn reload(&self) {
        let id = self.id();
        let sent = std::process::Command::new("kill").args(["-HUP", &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it has logged these words.
    pub async fn says(&self, words: &str) {
        let said = async {
            while !self.log.lock().unwrap().contains(words) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, said)
            .await
            .unwrap_or_else(|_| panic!("nothing said of `{words}`: {}", self.log.lock().unwrap()));
    }

    /// Posts a JSON body to a source; `None` where there was no whole answer.
    pub async fn post(&self, source: &str, body: &str) -> Option<(u16, String)> {
        request(&self.hooks, "POST", &format!("/hooks/{source}"), body).await
    }

    /// Asks the admin listener.
    pub async fn get(&self, path: &str) -> Option<(u16, String)> {
        request(&self.admin, "GET", path, "").await
    }
}

/// One request over its own connection; `None` where there was no whole answer.
pub async fn request(address: &str, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let (head, body) = request_of(address, method, path, "application/json", body).await?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body))
}

/// The same of another content type; the answer's head and body.
pub async fn request_of(address: &str, method: &str, path: &str, kind: &str, body: &str) -> Option<(String, String)> {
    let talk = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.write_all(body.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.to_owned(), body.to_owned()))
    };
    tokio::time::timeout(PATIENCE, talk).await.ok()?
}
