//! Where a key belongs: to the same place on every machine and in every run.

/// The hash of a key: FNV-1a.
pub(super) fn hash(key: &str) -> u64 {
    key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// How much a node wants what has a key, by the hashes of both, so that long names are not read for each event: of several nodes
/// the one that wants it most gets it, and when one comes or goes, only what it gets or had moves (rendezvous hashing).
pub(super) const fn weight(node: u64, key: u64) -> u64 {
    // FNV alone hardly spreads the last bytes to the first bits, which decide here, and the two must not meet alike in each pair.
    spread(spread(node) ^ key)
}

/// The finalizer of SplitMix64.
const fn spread(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_spread_over_the_nodes() {
        let nodes = ["a", "b", "c", "d"].map(hash);
        let mut counts = [0_u32; 4];
        for key in 0..4_000 {
            let key = hash(&key.to_string());
            let place = (0..4).max_by_key(|place| weight(nodes[*place], key)).unwrap();
            counts[place] += 1;
        }
        assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
    }
}
