//! A connection whose other end has to read: who asks for a file and takes almost nothing of it would hold
//! its place, and the file, for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// In this time ...
const WINDOW: Duration = Duration::from_secs(60);
/// ... a reader takes as many bytes. It is about the speed of a modem.
const LEAST: u64 = 256 << 10;

/// The connection.
pub struct Paced<S> {
    stream: S,
    /// When what is asked for has to have been taken, and how much was.
    end: Pin<Box<Sleep>>,
    taken: u64,
    /// Whether it is waited for now.
    waiting: bool,
    window: Duration,
}

impl<S> Paced<S> {
    /// This one.
    pub fn new(stream: S) -> Self {
        Paced::within(stream, WINDOW)
    }

    fn within(stream: S, window: Duration) -> Self {
        Paced { stream, end: Box::pin(tokio::time::sleep(window)), taken: 0, waiting: false, window }
    }

    /// Whether the reader is too slow; asked where it has no room for more.
    fn too_slow(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.waiting {
            // What was answered before went out at once.
            self.waiting = true;
            self.taken = 0;
            self.end.as_mut().reset(Instant::now() + self.window);
        }
        while self.end.as_mut().poll(context).is_ready() {
            if self.taken < LEAST {
                return Poll::Ready(());
            }
            self.taken = 0;
            self.end.as_mut().reset(Instant::now() + self.window);
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, to)
    }
}

impl<S: AsyncWrite + Unpin> Paced<S> {
    fn count(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(count)) => {
                self.taken += count as u64;
                Poll::Ready(Ok(count))
            }
            Poll::Pending => {
                ready!(self.too_slow(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            other => other,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.count(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.count(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    fn run(work: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
    }

    #[test]
    fn who_reads_too_little_is_let_go() {
        run(too_little());
    }

    async fn too_little() {
        for piece in [0_usize, 1, 64] {
            let (near, mut far) = duplex(1024);
            let mut paced = Paced::within(near, Duration::from_millis(100));
            let reader = tokio::spawn(async move {
                let mut bytes = vec![0; piece];
                loop {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    if piece > 0 && far.read_exact(&mut bytes).await.is_err() {
                        break;
                    }
                }
            });
            let error = paced.write_all(&[0; 1 << 20]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            reader.abort();
        }
    }

    #[test]
    fn who_reads_has_the_time_it_takes() {
        run(enough());
    }

    async fn enough() {
        let (near, mut far) = duplex(64 << 10);
        let mut paced = Paced::within(near, Duration::from_millis(50));
        let reader = tokio::spawn(async move {
            let (mut bytes, mut all) = (vec![0; 64 << 10], 0);
            while let Ok(count @ 1..) = far.read(&mut bytes).await {
                all += count;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            all
        });
        paced.write_all(&[0; 4 << 20]).await.unwrap();
        drop(paced);
        assert_eq!(reader.await.unwrap(), 4 << 20);
    }
}
