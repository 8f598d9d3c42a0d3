//! Which of many URIs and patterns match a URI (WAMP Advanced Profile, "Pattern-based Subscription" and "Pattern-based
//! Registration").

use std::collections::BTreeMap;

use wamp_proto::{MatchPolicy, Uri};

/// URIs and patterns, each with a value, by URI and policy.
///
/// Finding what matches looks at as many entries as there are lengths of prefixes and places of wildcards, not at all of them.
pub(super) struct Patterns<T> {
    exact: BTreeMap<Uri, T>,
    prefixes: BTreeMap<Uri, T>,
    /// How many prefixes have a length in bytes.
    lengths: BTreeMap<usize, usize>,
    wildcards: BTreeMap<Uri, T>,
    /// By the number of components, how many patterns have a shape: which of their components are empty.
    shapes: BTreeMap<usize, BTreeMap<Box<[bool]>, usize>>,
}

impl<T> Default for Patterns<T> {
    fn default() -> Self {
        Self {
            exact: BTreeMap::new(),
            prefixes: BTreeMap::new(),
            lengths: BTreeMap::new(),
            wildcards: BTreeMap::new(),
            shapes: BTreeMap::new(),
        }
    }
}

impl<T: Copy> Patterns<T> {
    pub(super) fn get(&self, uri: &Uri, policy: MatchPolicy) -> Option<T> {
        let entries = match policy {
            MatchPolicy::Exact => &self.exact,
            MatchPolicy::Prefix => &self.prefixes,
            MatchPolicy::Wildcard => &self.wildcards,
        };
        entries.get(uri).copied()
    }

    pub(super) fn insert(&mut self, uri: Uri, policy: MatchPolicy, value: T) {
        match policy {
            MatchPolicy::Exact => {
                self.exact.insert(uri, value);
            }
            MatchPolicy::Prefix => {
                let length = uri.len();
                if self.prefixes.insert(uri, value).is_none() {
                    *self.lengths.entry(length).or_default() += 1;
                }
            }
            MatchPolicy::Wildcard => {
                let shape = shape_of(&uri);
                if self.wildcards.insert(uri, value).is_none() {
                    *self.shapes.entry(shape.len()).or_default().entry(shape).or_default() += 1;
                }
            }
        }
    }

    pub(super) fn remove(&mut self, uri: &Uri, policy: MatchPolicy) {
        match policy {
            MatchPolicy::Exact => {
                self.exact.remove(uri);
            }
            MatchPolicy::Prefix => {
                if self.prefixes.remove(uri).is_some() {
                    uncount(&mut self.lengths, &uri.len());
                }
            }
            MatchPolicy::Wildcard => {
                if self.wildcards.remove(uri).is_some() {
                    let shape = shape_of(uri);
                    if let Some(shapes) = self.shapes.get_mut(&shape.len()) {
                        uncount(shapes, &shape);
                        if shapes.is_empty() {
                            self.shapes.remove(&shape.len());
                        }
                    }
                }
            }
        }
    }

    /// What matches a URI: the URI itself, then prefixes from the shortest to the longest, then wildcard patterns.
    pub(super) fn matching<'a>(&'a self, uri: &'a str) -> impl Iterator<Item = T> + 'a {
        let lengths = self.lengths.range(..=uri.len());
        let prefixes = lengths.filter_map(|(length, _)| self.prefixes.get(uri.get(..*length)?).copied());
        self.exact.get(uri).copied().into_iter().chain(prefixes).chain(self.matching_wildcards(uri))
    }

    /// The best match of a URI: the URI itself, else the longest prefix, else the wildcard pattern with the most components before its first
    /// gap, then before its second, and so on.
    ///
    /// Prefixes are compared by the components that they match, so that one that ends within a component comes after the wildcards, and
    /// the one that matches everything last.
    pub(super) fn best(&self, uri: &str) -> Option<T> {
        let prefix = |is_whole: bool| {
            let lengths = self.lengths.range(..=uri.len()).rev().map(|(length, _)| *length);
            let mut lengths = lengths.filter(|length| ends_component(uri, *length) == is_whole);
            lengths.find_map(|length| self.prefixes.get(uri.get(..length)?).copied())
        };
        // Of two shapes, the one with the later gap is less.
        let wildcard = || self.matching_wildcards(uri).next();
        self.exact.get(uri).copied().or_else(|| prefix(true)).or_else(wildcard).or_else(|| prefix(false))
    }

    /// The URI itself, else the longest prefix, else the longest wildcard pattern, in bytes.
    pub(super) fn longest(&self, uri: &str) -> Option<T> {
        let lengths = self.lengths.range(..=uri.len()).rev();
        let prefix = lengths.filter_map(|(length, _)| self.prefixes.get(uri.get(..*length)?).copied()).next();
        let wildcard = || {
            // Of patterns of one length, the first one.
            let longest = self.wildcards_of(uri).rev().max_by_key(|(length, _)| *length);
            longest.map(|(_, value)| value)
        };
        self.exact.get(uri).copied().or(prefix).or_else(wildcard)
    }

    fn matching_wildcards<'a>(&'a self, uri: &'a str) -> impl Iterator<Item = T> + 'a {
        self.wildcards_of(uri).map(|(_, value)| value)
    }

    /// The wildcard patterns that match a URI, with their lengths.
    fn wildcards_of<'a>(&'a self, uri: &'a str) -> impl DoubleEndedIterator<Item = (usize, T)> + 'a {
        let components: Vec<&str> = if self.shapes.is_empty() { Vec::new() } else { uri.split('.').collect() };
        let shapes = self.shapes.get(&components.len()).into_iter().flat_map(BTreeMap::keys);
        shapes.filter_map(move |shape| {
            let components = components.iter().zip(shape.iter());
            let pattern: Vec<&str> = components.map(|(component, any)| if *any { "" } else { component }).collect();
            let pattern = pattern.join(".");
            Some((pattern.len(), *self.wildcards.get(pattern.as_str())?))
        })
    }
}

/// Whether so many bytes of a URI are whole components, at least one, with or without the dot behind them.
fn ends_component(uri: &str, length: usize) -> bool {
    let bytes = uri.as_bytes();
    let last = length.checked_sub(1).and_then(|last| bytes.get(last));
    last.is_some_and(|last| *last == b'.' || bytes.get(length).is_none_or(|next| *next == b'.'))
}

fn shape_of(pattern: &str) -> Box<[bool]> {
    pattern.split('.').map(str::is_empty).collect()
}

fn uncount<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;
    use wamp_proto::UriRule;

    use super::*;

    fn uri(text: &str, policy: MatchPolicy) -> Uri {
        Uri::checked(text, UriRule::Loose, policy).unwrap()
    }

    fn filled(entries: &[(&str, MatchPolicy)]) -> Patterns<usize> {
        let mut patterns = Patterns::default();
        for (n, (text, policy)) in entries.iter().enumerate() {
            patterns.insert(uri(text, *policy), *policy, n);
        }
        patterns
    }

    #[test]
    fn pbs_03_a_prefix_is_one_of_characters() {
        let patterns = filled(&[("com.myapp.topic.emergency", MatchPolicy::Prefix)]);
        for (topic, matches) in [
            ("com.myapp.topic.emergency.11", true),
            ("com.myapp.topic.emergency-low", true),
            ("com.myapp.topic.emergency.category.severe", true),
            ("com.myapp.topic.emergency", true),
            ("com.myapp.topic.basis", false),
            ("com.myapp.topic", false),
        ] {
            assert_eq!(patterns.matching(topic).count() == 1, matches, "{topic}");
        }
    }

    #[test]
    fn pbs_03_a_wildcard_stands_for_one_component() {
        let patterns = filled(&[("com.myapp..userevent", MatchPolicy::Wildcard)]);
        for (topic, matches) in [
            ("com.myapp.foo.userevent", true),
            ("com.myapp.bar.userevent", true),
            ("com.myapp.a12.userevent", true),
            ("com.myapp.foo.userevent.bar", false),
            ("com.myapp.foo.user", false),
            ("com.myapp2.foo.userevent", false),
        ] {
            assert_eq!(patterns.matching(topic).count() == 1, matches, "{topic}");
        }
    }

    #[test]
    fn a_prefix_that_ends_within_a_character_matches_nothing() {
        let patterns = filled(&[("a.ab", MatchPolicy::Prefix), ("a.", MatchPolicy::Prefix), ("", MatchPolicy::Prefix)]);
        assert_eq!(patterns.matching("a.€").collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn pbr_04_the_best_match_is_the_one_with_the_most_components() {
        let (exact, prefix, wildcard) = (MatchPolicy::Exact, MatchPolicy::Prefix, MatchPolicy::Wildcard);
        let patterns = filled(&[
            ("a.b", exact),
            ("a.b", prefix),
            ("a.", prefix),
            ("a.bc", prefix),
            ("..c", wildcard),
            ("a..c", wildcard),
            (".b.c", wildcard),
            ("x.", wildcard),
            ("x", prefix),
            ("xy", prefix),
        ]);
        for (uri, best) in [
            ("a.b", Some(0)),
            ("a.b.c", Some(1)),
            ("a.bcd", Some(2)),
            ("a.bc", Some(3)),
            ("a.bc.c", Some(3)),
            ("z.b.c", Some(6)),
            ("z.z.c", Some(4)),
            ("x.y", Some(8)),
            ("xz.b.c", Some(6)),
            ("xyz", Some(9)),
            ("xz", Some(8)),
            ("z", None),
        ] {
            assert_eq!(patterns.best(uri), best, "{uri}");
        }
        let patterns = filled(&[(".b", wildcard), ("a.", wildcard), ("", prefix)]);
        assert_eq!(patterns.best("a.b"), Some(1), "what matches everything comes last");
        assert_eq!(patterns.best("a"), Some(2));
        let patterns = filled(&[(".b", wildcard), ("a.", wildcard), ("a", prefix)]);
        assert_eq!(patterns.best("a.b"), Some(2), "a prefix comes before wildcards");
        let patterns = filled(&[(".b", wildcard), ("a.", wildcard), ("a.b.c", prefix)]);
        assert_eq!(patterns.best("a.b"), Some(1));
    }

    proptest! {
        #[test]
        fn what_matches_is_what_each_pattern_says(
            entries in vec((vec(select(&["a", "b", "ab", ""][..]), 1..4), select(&[0_u8, 1, 2][..])), 0..24),
            removed in vec(any::<prop::sample::Index>(), 0..8),
            topic in vec(select(&["a", "b", "ab"][..]), 1..4),
        ) {
            let mut patterns = Patterns::default();
            let mut plain: Vec<(Uri, MatchPolicy, usize)> = Vec::new();
            for (n, (components, policy)) in entries.iter().enumerate() {
                let policy = [MatchPolicy::Exact, MatchPolicy::Prefix, MatchPolicy::Wildcard][usize::from(*policy)];
                let Ok(uri) = Uri::checked(components.join("."), UriRule::Loose, policy) else { continue };
                plain.retain(|(other, other_policy, _)| (other, *other_policy) != (&uri, policy));
                plain.push((uri.clone(), policy, n));
                patterns.insert(uri, policy, n);
            }
            for index in removed {
                if !plain.is_empty() {
                    let (uri, policy, n) = plain.remove(index.index(plain.len()));
                    assert_eq!(patterns.get(&uri, policy), Some(n));
                    patterns.remove(&uri, policy);
                    assert_eq!(patterns.get(&uri, policy), None);
                }
            }
            let topic = topic.join(".");
            let mut expected: Vec<usize> =
                plain.iter().filter(|(uri, policy, _)| uri.matches(&topic, *policy)).map(|(_, _, n)| *n).collect();
            let mut found: Vec<usize> = patterns.matching(&topic).collect();
            expected.sort_unstable();
            found.sort_unstable();
            assert_eq!(found, expected);
            if plain.is_empty() {
                assert!(patterns.lengths.is_empty() && patterns.shapes.is_empty());
            }
        }
    }
}
