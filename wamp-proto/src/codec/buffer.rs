//! What the writers of messages append to.

use std::io;

/// How many bytes need no allocation: most heads are shorter.
const FEW: usize = 128;

/// What bytes are appended to.
pub(crate) trait Sink {
    fn push(&mut self, byte: u8);
    fn extend_from_slice(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    #[inline]
    fn push(&mut self, byte: u8) {
        self.push(byte);
    }

    #[inline]
    fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// The head of a message, which is written before it is known where it will stand; it is allocated only if it is long.
pub(crate) struct Buffer {
    few: [u8; FEW],
    /// How many of the few are there; all of them count once there are many.
    length: usize,
    many: Option<Vec<u8>>,
}

impl Buffer {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self { few: [0; FEW], length: 0, many: None }
    }

    /// Makes a buffer for many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { few: [0; FEW], length: FEW, many: Some(Vec::with_capacity(bytes)) }
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        match &self.many {
            None => self.few.get(..self.length).unwrap_or_default(),
            Some(many) => many,
        }
    }

    pub(crate) fn into_vec(self) -> Vec<u8> {
        match self.many {
            None => self.as_slice().to_vec(),
            Some(many) => many,
        }
    }

    /// The bytes as a vector, to which all further ones go.
    #[cold]
    pub(crate) fn many(&mut self) -> &mut Vec<u8> {
        let few = self.few.get(..self.length).unwrap_or_default();
        self.length = FEW;
        self.many.get_or_insert_with(|| {
            let mut many = Vec::with_capacity(2 * FEW);
            many.extend_from_slice(few);
            many
        })
    }
}

impl Sink for Buffer {
    #[inline]
    fn push(&mut self, byte: u8) {
        match self.few.get_mut(self.length) {
            Some(place) => {
                *place = byte;
                self.length += 1;
            }
            None => self.many().push(byte),
        }
    }

    #[inline]
    fn extend_from_slice(&mut self, bytes: &[u8]) {
        match self.few.get_mut(self.length..).and_then(|room| room.get_mut(..bytes.len())) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.length += bytes.len();
            }
            None => self.many().extend_from_slice(bytes),
        }
    }
}

impl io::Write for Buffer {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole or byte by byte, across the end of the few at each place.
    #[test]
    fn bytes_come_out_as_they_went_in() {
        let bytes: Vec<u8> = (0..=255).cycle().take(3 * FEW).collect();
        for first in 0..FEW + 2 {
            for second in [0, 1, 2, FEW - 1, FEW, FEW + 1] {
                let mut buffer = Buffer::new();
                bytes[..first].iter().for_each(|byte| buffer.push(*byte));
                buffer.extend_from_slice(&bytes[first..first + second]);
                assert_eq!(buffer.as_slice(), &bytes[..first + second], "{first}, {second}");
                buffer.push(5);
                assert_eq!(buffer.into_vec(), [&bytes[..first + second], &[5]].concat(), "{first}, {second}");
            }
        }
        let mut buffer = Buffer::with_capacity(5);
        assert_eq!(buffer.as_slice(), b"");
        buffer.push(1);
        buffer.many().push(2);
        buffer.extend_from_slice(&[3; FEW]);
        assert_eq!(buffer.as_slice(), [&[1, 2][..], &[3; FEW]].concat());
    }
}
