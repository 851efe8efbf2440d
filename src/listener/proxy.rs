//! From which address a request came, where proxies stand in between.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

/// The sender's address: the peer's, unless the peer is a trusted proxy. Then the last address of `X-Forwarded-For`
/// that is not a trusted proxy itself; where all are, the first. Each proxy appends the address that it saw, so what
/// stands left of the first untrusted one is only that one's word, and is not looked at. `None` where the address to
/// believe is not readable.
pub fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    let mut client = peer.to_canonical();
    if !is_trusted(&client) {
        return Some(client);
    }
    let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    for line in lines.into_iter().rev() {
        for entry in line.as_bytes().rsplit(|byte| *byte == b',') {
            client = address(entry)?;
            if !is_trusted(&client) {
                return Some(client);
            }
        }
    }
    Some(client)
}

/// Whoever has an address of the sixth version has 2⁶⁴ of them: such a network counts as one, as an address of the fourth does.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & (u128::MAX << 64)).into()),
        v4 => v4,
    }
}

/// `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]`, each also with a port, as some proxies write it.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry.trim_ascii()).ok()?;
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let ip = bare
        .parse()
        .or_else(|_| text.parse::<SocketAddr>().map(|with_port| with_port.ip()));
    ip.ok().map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_the_sixth_version_counts_as_one_address() {
        for (address, counts_as) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ] {
            assert_eq!(network(address.parse().unwrap()).to_string(), counts_as);
        }
    }

    #[test]
    fn the_word_of_trusted_proxies_counts() {
        let trusted: Vec<IpNet> = vec!["127.0.0.1/32".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        let direct = "198.51.100.7";
        let proxy = "127.0.0.1";
        let cases: &[(&str, &[&str], Option<&str>)] = &[
            // Nobody has to be believed.
            (direct, &[], Some(direct)),
            (direct, &["203.0.113.9"], Some(direct)),
            (proxy, &[], Some(proxy)),
            // One proxy, two proxies, a client that makes something up.
            (proxy, &["203.0.113.9"], Some("203.0.113.9")),
            (proxy, &["203.0.113.9, 10.1.2.3"], Some("203.0.113.9")),
            (proxy, &["192.0.2.66, 203.0.113.9 , 10.1.2.3"], Some("203.0.113.9")),
            (proxy, &["192.0.2.66", "203.0.113.9", "10.1.2.3"], Some("203.0.113.9")),
            (proxy, &["nonsense, 203.0.113.9"], Some("203.0.113.9")),
            // All are trusted: the one furthest away.
            (proxy, &["10.9.9.9, 10.1.2.3"], Some("10.9.9.9")),
            // Ports, brackets, and addresses of the fourth version in the clothes of the sixth.
            (proxy, &["203.0.113.9:4711"], Some("203.0.113.9")),
            (proxy, &["[2001:db8::9]:4711"], Some("2001:db8::9")),
            (proxy, &["[2001:db8::9]"], Some("2001:db8::9")),
            (proxy, &["2001:db8::9"], Some("2001:db8::9")),
            ("::ffff:127.0.0.1", &["::ffff:203.0.113.9"], Some("203.0.113.9")),
            // Not readable where it counts.
            (proxy, &["nonsense"], None),
            (proxy, &[""], None),
            (proxy, &["203.0.113.9,"], None),
            (proxy, &["203.0.113.9, unknown, 10.1.2.3"], None),
            (proxy, &["203.0.113.9, 10.1.2.300"], None),
        ];
        for (peer, lines, expected) in cases {
            let mut headers = HeaderMap::new();
            for line in *lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            let expected = expected.map(|ip| ip.parse::<IpAddr>().unwrap());
            assert_eq!(
                client(peer.parse().unwrap(), &headers, &trusted),
                expected,
                "{peer} {lines:?}"
            );
        }
    }
}
