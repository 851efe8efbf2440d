//! Stand-ins for the outside world: targets on this machine that record what reaches them and answer as they are told.

mod http;
mod letter;
mod smtp;

pub use http::{HttpStandin, Reply, Request};
pub use letter::Letter;
pub use smtp::{Move, Phase, SmtpStandin};

/// A background task that ends with what it belongs to.
#[derive(Debug)]
pub struct Background(tokio::task::JoinHandle<()>);

impl Background {
    #[expect(
        clippy::disallowed_methods,
        reason = "a stand-in's task ends with the stand-in; its failure shows in what it recorded"
    )]
    pub fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Background {
        Background(tokio::spawn(work))
    }

    /// Ends it and returns once it is gone, with its connections and its port.
    async fn stop(mut self) {
        self.0.abort();
        // That it was aborted is no news.
        let _ = (&mut self.0).await;
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.0.abort();
    }
}
