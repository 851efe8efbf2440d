//! HTTP messages as far as a measurement has to read them.

/// The head, and how long the whole message is, head and body, where its head is there.
pub fn read(message: &[u8]) -> Option<(&str, usize)> {
    let head = message.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&message[..head]).unwrap();
    let length: usize = text
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse().unwrap())
        })
        .unwrap_or(0);
    Some((text, head + length))
}
