//! The server: reads messages, answers them in their order, and when nothing is waiting any
//! more sends what was found in the documents that have changed.

use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;

use gen_lsp_types::json_rpc::{Id, RequestObject, ResponseObject};
use gen_lsp_types::{
    ErrorCodes, InitializeParams, InitializeRequest, Notification, PublishDiagnosticsNotification,
    PublishDiagnosticsParams, RegistrationRequest, ShowMessageNotification, ShowMessageParams, ShutdownRequest,
};
use serde_json::Value;

use super::answer::{Answer, refusal};
use super::state::State;
use super::wire::{self, Incoming};
use super::{capabilities, diagnostics, notifications, requests};

/// How many messages wait at most.
const QUEUE: usize = 64;

/// Serve until the editor says that it is over. Returns whether it did so in the proper way.
pub fn serve(input: impl BufRead + Send + 'static, output: impl Write) -> io::Result<bool> {
    let (sender, inbox) = sync_channel(QUEUE);
    thread::spawn(move || {
        let mut input = input;
        while let Ok(Some(incoming)) = wire::read(&mut input) {
            if sender.send(incoming).is_err() {
                break;
            }
        }
    });
    Server { output, state: None, shut_down: false }.run(&inbox)
}

struct Server<W> {
    output: W,
    /// None before `initialize`.
    state: Option<State>,
    shut_down: bool,
}

impl<W: Write> Server<W> {
    fn run(mut self, inbox: &Receiver<Incoming>) -> io::Result<bool> {
        loop {
            let incoming = match inbox.try_recv() {
                Ok(incoming) => Some(incoming),
                Err(TryRecvError::Disconnected) => None,
                Err(TryRecvError::Empty) if self.publish_one()? => continue,
                Err(TryRecvError::Empty) => inbox.recv().ok(),
            };
            match incoming {
                None => return Ok(self.shut_down),
                Some(Incoming::Malformed(code)) => {
                    tracing::warn!(?code, "a malformed message");
                    let error = refusal(code, "the message cannot be read");
                    wire::write(&mut self.output, &ResponseObject::from_error(Id::Null, error))?;
                }
                Some(Incoming::Message(message)) => {
                    if !self.take(message)? {
                        return Ok(self.shut_down);
                    }
                }
            }
        }
    }

    /// Take a message; false after `exit`.
    fn take(&mut self, message: RequestObject) -> io::Result<bool> {
        let (method, id, params) = message.into_parts();
        let params = params.unwrap_or(Value::Null);
        match id {
            // The answer to something that we asked.
            Some(_) if method.is_empty() => {}
            Some(id) => {
                tracing::debug!(method, "request");
                let answer = self.answer(&method, id.clone(), params);
                let answer = answer.unwrap_or_else(|error| ResponseObject::from_error(id, error));
                wire::write(&mut self.output, &answer)?;
            }
            None if method == "exit" => return Ok(false),
            None => {
                tracing::debug!(method, "notification");
                self.notice(&method, params)?;
            }
        }
        Ok(true)
    }

    fn answer(&mut self, method: &str, id: Id, params: Value) -> Answer {
        match (&mut self.state, method) {
            _ if self.shut_down => Err(refusal(ErrorCodes::InvalidRequest, "the server was shut down")),
            (None, "initialize") => self.initialize(id, params),
            (None, _) => Err(refusal(ErrorCodes::ServerNotInitialized, "the first request is `initialize`")),
            (Some(_), "initialize") => Err(refusal(ErrorCodes::InvalidRequest, "the server is initialized")),
            (Some(_), "shutdown") => {
                self.shut_down = true;
                Ok(ResponseObject::from_success::<ShutdownRequest>(id, ()))
            }
            (Some(state), _) => requests::answer(state, method, id, params),
        }
    }

    fn initialize(&mut self, id: Id, params: Value) -> Answer {
        let params: InitializeParams = serde_json::from_value(params)
            .map_err(|_| refusal(ErrorCodes::InvalidParams, "the parameters of `initialize` cannot be read"))?;
        let client = capabilities::client(&params.capabilities);
        let mut state = State::new(client);
        if let Some(options) = &params.initialization_options
            && let Err(error) = state.configure(options)
        {
            tracing::warn!(%error, "initializationOptions");
            // Nothing else may be sent before the answer.
            state.complaints.push(error.to_string());
        }
        self.state = Some(state);
        Ok(ResponseObject::from_success::<InitializeRequest>(id, capabilities::server(client)))
    }

    fn notice(&mut self, method: &str, params: Value) -> io::Result<()> {
        let Some(state) = &mut self.state else {
            return Ok(());
        };
        if self.shut_down {
            return Ok(());
        }
        if method == "initialized" && state.client.watches_files {
            let id = Id::String("files".to_owned());
            let wish = RequestObject::from_request::<RegistrationRequest>(id, capabilities::watch_files());
            return wire::write(&mut self.output, &wish);
        }
        let closed = notifications::take(state, method, params);
        match closed {
            Some(uri) => self.publish(diagnostics::nothing(uri)),
            None => Ok(()),
        }
    }

    /// Send what was found in one document that has changed, or one complaint; false if there
    /// is none.
    fn publish_one(&mut self) -> io::Result<bool> {
        let Some(state) = &mut self.state else {
            return Ok(false);
        };
        if let Some(message) = state.complaints.pop() {
            let params = ShowMessageParams { kind: gen_lsp_types::MessageType::Error, message };
            self.send::<ShowMessageNotification>(params)?;
            return Ok(true);
        }
        let Some(uri) = state.take_stale() else {
            return Ok(false);
        };
        if let Some(found) = diagnostics::publication(state, &uri) {
            tracing::debug!(uri, findings = found.diagnostics.len(), "checked");
            self.publish(found)?;
        }
        Ok(true)
    }

    fn publish(&mut self, found: PublishDiagnosticsParams) -> io::Result<()> {
        self.send::<PublishDiagnosticsNotification>(found)
    }

    fn send<N: Notification>(&mut self, params: N::Params) -> io::Result<()> {
        wire::write(&mut self.output, &RequestObject::from_notification::<N>(params))
    }
}
