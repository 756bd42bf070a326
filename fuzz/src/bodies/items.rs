//! The items of a call, as they are typed.

use keyfob::resource_server::Items;

/// One item a line; a file holds what its name says.
pub fn items(bytes: &[u8]) {
    let text = super::text(bytes);
    let read = |name: &str| Ok(name.as_bytes().to_vec());
    match Items::parse(text.lines(), &read) {
        Ok(items) => {
            let all = items.query.len() + items.headers.len() + items.fields.len();
            assert_eq!(all, text.lines().count());
        }
        Err(error) => assert!(error.to_string().len() <= 3 * text.len() + 512, "{error}"),
    }
}
