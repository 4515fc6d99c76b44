//! How are rows named? Keys sort by their bytes; a customer's rows share one prefix.
//!
//! A customer's prefix starts with the partition, so that partitions can be moved to other nodes
//! as contiguous ranges.

use decision::id::CustomerId;

/// Length of [`customer`] keys, in bytes.
pub const CUSTOMER_BYTES: usize = 17;

/// The partition a customer lives in, 0 to 255: the first byte of the BLAKE3 hash of the id.
pub fn partition(customer: CustomerId) -> u8 {
    blake3::hash(&customer.0.to_be_bytes()).as_bytes()[0]
}

/// The key of a customer's only row in a table, and the prefix of all of the customer's rows: the
/// partition, then the id with its most significant byte first.
pub fn customer(customer: CustomerId) -> Vec<u8> {
    customer_row(customer, &[])
}

/// The key of one of a customer's rows: [`customer`], then `suffix`.
pub fn customer_row(customer: CustomerId, suffix: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(CUSTOMER_BYTES + suffix.len());
    key.push(partition(customer));
    key.extend_from_slice(&customer.0.to_be_bytes());
    key.extend_from_slice(suffix);
    key
}

/// Eight hexadecimal digits that tell rows apart in messages without showing the key.
pub fn short_hash(key: &[u8]) -> String {
    blake3::hash(key).to_hex()[..8].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_customer_share_the_prefix_and_sort_by_suffix() {
        let (jan, eva) = (CustomerId(7), CustomerId(8));
        let prefix = customer(jan);
        assert_eq!(prefix.len(), CUSTOMER_BYTES);
        assert!(customer_row(jan, b"a") < customer_row(jan, b"b"));
        assert!(customer_row(jan, b"a").starts_with(&prefix));
        assert!(!customer_row(eva, b"a").starts_with(&prefix));
    }

    #[test]
    fn customers_spread_evenly_over_the_partitions() {
        let mut counts = [0u32; 256];
        for id in 0..25_600u128 {
            counts[usize::from(partition(CustomerId(id)))] += 1;
        }
        let (least, most) = (counts.iter().min().copied(), counts.iter().max().copied());
        assert!(least >= Some(50) && most <= Some(160), "{least:?} to {most:?} of an expected 100");
    }
}
