//! Ghost state: a list that nearly always has one element.

/// Some elements in the order in which they came; the first needs no memory of its own.
#[derive(Clone, Debug)]
pub(super) struct Few<T> {
    first: Option<T>,
    others: Vec<T>,
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self { first: None, others: Vec::new() }
    }
}

impl<T> Few<T> {
    /// Adds an element at the end and returns its place.
    pub(super) fn push(&mut self, element: T) -> usize {
        if self.first.is_none() {
            self.first = Some(element);
            return 0;
        }
        self.others.push(element);
        self.others.len()
    }

    /// The place of the first element for which `is_it` holds.
    #[inline]
    pub(super) fn position(&self, is_it: impl FnMut(&T) -> bool) -> Option<usize> {
        self.iter().position(is_it)
    }

    /// The element at a place.
    #[inline]
    pub(super) fn get(&self, place: usize) -> Option<&T> {
        match place.checked_sub(1) {
            None => self.first.as_ref(),
            Some(place) => self.others.get(place),
        }
    }

    /// The element at a place, to change.
    #[inline]
    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        match place.checked_sub(1) {
            None => self.first.as_mut(),
            Some(place) => self.others.get_mut(place),
        }
    }

    /// All of them, in order.
    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_elements_stand_where_they_were_put() {
        let mut few = Few::default();
        assert_eq!((few.get(0), few.position(|element| *element == 7)), (None, None));
        assert_eq!([few.push(7), few.push(8), few.push(9)], [0, 1, 2]);
        *few.get_mut(2).expect("just put there") = 10;
        assert_eq!((few.get(0), few.get(2), few.get(3)), (Some(&7), Some(&10), None));
        assert_eq!(few.position(|element| *element == 8), Some(1));
        assert!(few.iter().eq(&[7, 8, 10]));
    }
}
