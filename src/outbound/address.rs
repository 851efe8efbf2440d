//! Which addresses may be spoken to, and the resolver that holds every name against it.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::OutError;

/// The metadata service of one large host that has no link-local address.
const METADATA_V4: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
/// The metadata service of another one.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Why nothing is sent to this address; `None` where it is fine. Private addresses are fine: home servers live there.
pub fn refusal(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => refusal_v4(ip),
        IpAddr::V6(ip) => {
            if let Some(inner) = embedded_v4(ip) {
                return refusal_v4(inner);
            }
            if ip.is_unspecified() {
                Some("the unspecified address")
            } else if ip.is_multicast() {
                Some("a multicast address")
            } else if ip.is_unicast_link_local() {
                Some("a link-local address")
            } else if ip == METADATA_V6 {
                Some("a metadata address")
            } else {
                None
            }
        }
    }
}

fn refusal_v4(ip: Ipv4Addr) -> Option<&'static str> {
    if ip.octets()[0] == 0 {
        Some("the unspecified address")
    } else if ip.is_link_local() {
        Some("a link-local or metadata address")
    } else if ip == METADATA_V4 {
        Some("a metadata address")
    } else if ip.is_broadcast() {
        Some("the broadcast address")
    } else if ip.is_multicast() {
        Some("a multicast address")
    } else {
        None
    }
}

/// The IPv4 address that a mapped (`::ffff:a.b.c.d`), compatible (`::a.b.c.d`), translated (`64:ff9b::/96`) or tunnelled
/// (`2002::/16`) IPv6 address leads to.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let parts = ip.segments();
    let pair = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match parts {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(pair(high, low)),
        // `::` and `::1` are addresses of their own.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(pair(high, low)),
        [0x2002, high, low, ..] => Some(pair(high, low)),
        _ => None,
    }
}

/// Where names are looked up.
#[derive(Clone, Debug, Default)]
pub enum Names {
    /// By the machine.
    #[default]
    System,
    /// In this table only, for tests.
    Table(Arc<HashMap<String, Vec<IpAddr>>>),
}

impl Names {
    /// The addresses of a host (a name or a literal address) that may be spoken to.
    ///
    /// # Errors
    ///
    /// [`OutError::NotSent`] where the name has no address, or none that may be spoken to.
    pub async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, OutError> {
        let literal: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        let found: Vec<IpAddr> = match (literal, self) {
            (Some(ip), _) => vec![ip],
            (None, Names::Table(table)) => table.get(host).cloned().unwrap_or_default(),
            (None, Names::System) => tokio::net::lookup_host((host, port))
                .await
                .map_err(|error| OutError::NotSent(format!("{host} could not be looked up: {error}")))?
                .map(|address| address.ip())
                .collect(),
        };
        let mut refused = None;
        let mut allowed = Vec::new();
        for ip in found {
            match refusal(ip) {
                Some(why) => refused = Some(why),
                None => allowed.push(SocketAddr::new(ip, port)),
            }
        }
        match (allowed.is_empty(), refused) {
            (false, _) => Ok(allowed),
            (true, Some(why)) => Err(OutError::NotSent(format!("{host} is {why}; nothing is sent there"))),
            (true, None) => Err(OutError::NotSent(format!("{host} has no address"))),
        }
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let names = self.clone();
        Box::pin(async move {
            let found = names.addresses(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it stands")]

    use super::*;

    #[test]
    fn home_servers_are_reached_and_the_machines_own_secrets_are_not() {
        for fine in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.1.5",
            "172.16.0.9",
            "100.64.0.1",
            "203.0.113.9",
            "::1",
            "fd12:3456::1",
            "2001:db8::1",
            "::ffff:192.168.1.5",
        ] {
            assert_eq!(refusal(fine.parse().unwrap()), None, "{fine}");
        }
        for refused in [
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "0.0.0.0",
            "0.1.2.3",
            "255.255.255.255",
            "224.0.0.1",
            "239.255.255.250",
            "::",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "::ffff:0.0.0.0",
            "::ffff:100.100.100.200",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::1",
        ] {
            assert!(refusal(refused.parse().unwrap()).is_some(), "{refused}");
        }
    }

    #[tokio::test]
    async fn names_keep_their_good_addresses_only() {
        let names = Names::Table(Arc::new(HashMap::from([
            (
                "mixed".into(),
                vec!["169.254.1.1".parse().unwrap(), "10.0.0.1".parse().unwrap()],
            ),
            ("bad".into(), vec!["fe80::1".parse().unwrap()]),
        ])));
        assert_eq!(
            names.addresses("mixed", 25).await.unwrap(),
            vec!["10.0.0.1:25".parse().unwrap()]
        );
        for (host, said) in [
            ("bad", "link-local"),
            ("none", "no address"),
            ("[::ffff:169.254.169.254]", "link-local"),
        ] {
            let error = names.addresses(host, 25).await.unwrap_err();
            assert!(
                matches!(&error, OutError::NotSent(why) if why.contains(said)),
                "{host}: {error}"
            );
        }
    }
}
