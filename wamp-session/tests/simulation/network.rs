//! How time goes by: frames arrive, transports open and end, deadlines are reached.

use core::time::Duration;

use wamp_session::proto::Format;
use wamp_session::router::{Router, RouterAction};
use wamp_session::{Action, Opened, SessionEvent, TransportError, TransportErrorKind};

use crate::client::{Client, Link};
use crate::world::{CLIENTS, USER, World, eof};

impl World {
    /// Lets time pass, and everything happen that is due until then.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let until = self.now.checked_add(duration).unwrap();
        loop {
            self.carry();
            let sessions = self.clients.iter().filter_map(|client| client.session.poll_timeout()).map(|(at, _)| at);
            let openings = self.clients.iter().filter_map(|client| client.opening).map(|(_, at)| at);
            let answers = self.clients.iter().flat_map(|client| &client.challenges).map(|(at, _)| *at);
            let endings = self.clients.iter().flat_map(|client| &client.ending).map(|(at, _)| *at);
            let links = self.clients.iter().filter_map(|client| client.link.as_ref()).filter(|link| !link.stalled);
            let frames = links.flat_map(|link| link.up.front().into_iter().chain(link.down.front())).map(|(at, _)| *at);
            let orphans = self.orphans.iter().map(|(at, _)| *at);
            let router = self.router.iter().filter_map(Router::poll_timeout);
            let next =
                sessions.chain(openings).chain(answers).chain(endings).chain(frames).chain(orphans).chain(router).min();
            let Some(next) = next.filter(|next| *next <= until) else { break };
            self.now = self.now.max(next);
            self.due();
        }
        self.now = until;
        self.due();
        self.carry();
    }

    /// What is due now happens.
    fn due(&mut self) {
        let now = self.now;
        for index in 0..CLIENTS {
            let client = &mut self.clients[index];
            client.handle_timeout(now);
            let (ended, later) = client.ending.iter().partition(|(at, _)| *at <= now);
            client.ending = later;
            for (_, id) in ended {
                client.ended(now, id);
            }
            let (answered, later) = client.challenges.iter().partition(|(at, _)| *at <= now);
            client.challenges = later;
            for (_, id) in answered {
                let is_found = self.is_well || self.dice.roll(20) > 0;
                client.answer(now, id, is_found);
            }
            if let Some((id, _)) = client.opening.take_if(|(_, at)| *at <= now) {
                let opened = self.router.as_mut().map(|router| router.handle_opened(now, Format::Json));
                let client = &mut self.clients[index];
                match opened {
                    Some(peer) if client.session.transport() == Some(id) => {
                        let (up, down) = Default::default();
                        client.link = Some(Link { id, peer, up, down, stalled: false });
                        let opened = Opened::new(Some("wamp.2.json"));
                        let opened = if index == USER { opened.authmethods(["ticket"]).authid("joe") } else { opened };
                        client.session.handle_opened(now, id, opened);
                    }
                    Some(peer) => self.orphans.push((now, peer)),
                    None => {
                        let refused = TransportError::new(TransportErrorKind::Connect);
                        client.session.handle_closed(now, id, refused);
                    }
                }
            }
            self.deliver(index);
        }
        if let Some(router) = &mut self.router {
            let (due, later) = self.orphans.iter().partition(|(at, _)| *at <= now);
            self.orphans = later;
            for (_, peer) in due {
                router.handle_closed(now, peer);
            }
            router.handle_timeout(now);
        }
    }

    fn deliver(&mut self, index: usize) {
        let now = self.now;
        while let Some(link) = self.clients[index].link.as_mut().filter(|link| !link.stalled) {
            if let Some((_, frame)) = link.up.pop_front_if(|(at, _)| *at <= now) {
                if let Some(router) = &mut self.router {
                    router.handle_frame(now, link.peer, frame);
                }
            } else if let Some((_, frame)) = link.down.pop_front_if(|(at, _)| *at <= now) {
                self.clients[index].receive(now, frame);
            } else {
                return;
            }
        }
    }

    /// Takes what sessions and router want, until they want nothing more.
    pub(crate) fn carry(&mut self) {
        loop {
            let mut is_idle = true;
            for index in 0..CLIENTS {
                while let Some(action) = self.clients[index].session.poll_action() {
                    is_idle = false;
                    self.act(index, action);
                }
                while let Some(event) = self.clients[index].session.poll_event() {
                    is_idle = false;
                    self.events.push(self.trace.len());
                    self.note(|| format!("{index} {event:?}"));
                    if let SessionEvent::Challenge { transport, .. } = &event {
                        // Mostly it is answered soon, sometimes late, and sometimes too late.
                        let most = if self.is_well { 40 } else { self.dice.pick(&[0, 40, 3_000, 20_000]).unwrap() };
                        let at = self.now.checked_add(self.dice.millis(most)).unwrap();
                        self.clients[index].challenges.push((at, *transport));
                    }
                    self.clients[index].check_event(event);
                }
            }
            while let Some(action) = self.router.as_mut().and_then(Router::poll_action) {
                is_idle = false;
                self.route(action);
            }
            if is_idle {
                return;
            }
        }
    }

    fn act(&mut self, index: usize, action: Action) {
        self.note(|| match &action {
            Action::Send { frame, .. } => format!("{index} -> {:?}", frame.bytes()),
            action => format!("{index} -> {action:?}"),
        });
        let at = self.now.checked_add(self.dice.millis(40)).unwrap();
        let client = &mut self.clients[index];
        client.check_action(&action);
        match action {
            Action::OpenTransport { id, .. } => {
                // A link that the session has given up, because it is silent.
                if let Some(link) = client.link.take() {
                    self.orphans.push((at, link.peer));
                }
                client.opening = Some((id, at));
            }
            Action::Send { frame, .. } => {
                if let Some(link) = &mut client.link {
                    let at = link.up.back().map_or(at, |(last, _)| at.max(*last));
                    link.up.push_back((at, frame));
                }
            }
            // A pong comes at once, if anything comes.
            Action::Ping { id } => {
                if client.link.as_ref().is_some_and(|link| !link.stalled) {
                    client.session.handle_activity(self.now, id);
                }
            }
            Action::CloseTransport { id, .. } => {
                // Mostly it ends at once, sometimes late, and sometimes too late.
                let most = self.dice.pick(&[0, 0, 1_000, 7_000]).unwrap();
                let ended = self.now.checked_add(self.dice.millis(most)).unwrap();
                if client.opening.take_if(|(opening, _)| *opening == id).is_some() {
                    client.ending.push((ended, id));
                }
                if let Some(mut link) = client.link.take_if(|link| link.id == id) {
                    // What was sent before arrives before.
                    if let Some(router) = &mut self.router {
                        for (_, frame) in link.up.drain(..).filter(|_| !link.stalled) {
                            router.handle_frame(self.now, link.peer, frame);
                        }
                    }
                    self.orphans.push((at, link.peer));
                    if !link.stalled {
                        client.ending.push((ended, id));
                    }
                }
            }
            action => panic!("unknown action {action:?}"),
        }
    }

    fn route(&mut self, action: RouterAction) {
        let at = self.now.checked_add(self.dice.millis(40)).unwrap();
        let (RouterAction::Send { peer, .. } | RouterAction::Close { peer, .. }) = &action else {
            panic!("{action:?}")
        };
        let of_peer = |client: &&mut Client| client.link.as_ref().is_some_and(|link| link.peer == *peer);
        let Some(client) = self.clients.iter_mut().find(of_peer) else { return };
        let Some(link) = &mut client.link else { return };
        match action {
            RouterAction::Send { frame, .. } => {
                let at = link.down.back().map_or(at, |(last, _)| at.max(*last));
                link.down.push_back((at, frame));
            }
            RouterAction::Close { .. } if !link.stalled => {
                let (id, frames) = (link.id, core::mem::take(&mut link.down));
                for (_, frame) in frames {
                    client.receive(self.now, frame);
                }
                client.link = None;
                client.session.handle_closed(self.now, id, eof());
            }
            _ => {}
        }
    }
}
