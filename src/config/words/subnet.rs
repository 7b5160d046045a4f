//! Shared networks and subnets (ISC `server/confpars.c:parse_shared_net_declaration`, `parse_subnet_declaration`,
//! `parse_subnet6_declaration`, `common_subnet_parsing`).

use super::Walk;
use super::declarations::{Kind, Place};
use super::lexer::Kind as Word;
use crate::config::network::{NetworkId, ScopeId, SubnetId};

impl Walk<'_> {
    pub(super) fn shared_network(&mut self, place: Place) {
        let network = if self.peek().kind == Word::String {
            let name = self.next().c_text().to_vec();
            self.act(|builder| builder.open_shared_network(place.scope, &name))
        } else {
            let Some(name) = self.host_name() else {
                return self.refuse("expecting a name for shared-network");
            };
            self.act(|builder| builder.open_shared_network(place.scope, &name))
        };
        if !self.left_brace() {
            return;
        }
        let scope = self.builder.network_scope(network);
        let inner = Place { network: Some(network), ..Place::new(Kind::SharedNetwork, scope) };
        let closed = self.statements(inner, None, |walk, word, _| {
            (word == "interface").then(|| walk.interface(network, None))
        });
        if closed {
            // The message is the only outcome.
            let _ = self.act(|builder| builder.close_shared_network(network));
        }
    }

    fn interface(&mut self, network: NetworkId, subnet: Option<SubnetId>) -> bool {
        self.next();
        let name = self.next();
        // A second interface is refused with a message; the statement goes on.
        let _ = self.act(|builder| builder.set_interface(network, subnet, name.c_text()));
        self.cursor.semicolon()
    }

    pub(super) fn subnet(&mut self, scope: ScopeId, network: Option<NetworkId>) {
        let Some(address) = self.address() else { return };
        if !self.next().is_word("netmask") {
            return self.refuse("Expecting netmask");
        }
        // dhcpd reads the mask into the variable that still holds the address.
        let Some(mask) = self.address_over(address) else { return };
        match self.act(|builder| builder.open_subnet(scope, network, address, mask)) {
            Ok(subnet) => self.subnet_body(subnet),
            Err(_) => self.cursor.skip_to_semicolon(),
        }
    }

    pub(super) fn subnet6(&mut self, scope: ScopeId, network: Option<NetworkId>) {
        if !self.only_six("subnet6") {
            return;
        }
        let Some(address) = self.address6() else { return };
        if !self.next().is(b'/') {
            return self.refuse("Expecting a '/'.");
        }
        let length = self.next();
        if length.kind != Word::Number {
            return self.refuse("Expecting a number.");
        }
        let length = Self::atoi(&length);
        match self.act(|builder| builder.open_subnet6(scope, network, address, length)) {
            Ok(subnet) => self.subnet_body(subnet),
            Err(_) => self.cursor.skip_to_semicolon(),
        }
    }

    fn subnet_body(&mut self, subnet: SubnetId) {
        if !self.left_brace() {
            return;
        }
        let network = self.builder.subnet_network(subnet);
        let scope = self.builder.subnet_scope(subnet);
        let inner = Place { network: Some(network), subnet: Some(subnet), ..Place::new(Kind::Subnet, scope) };
        self.statements(inner, None, |walk, word, _| {
            (word == "interface").then(|| walk.interface(network, Some(subnet)))
        });
        self.act(|builder| builder.close_subnet(subnet));
    }
}
