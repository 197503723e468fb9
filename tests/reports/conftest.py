"""The small sets that scoring is tested on."""

from scored_examples import any_examples, crowd, decisions, examples, masks, probabilities

__all__ = ['any_examples', 'crowd', 'decisions', 'examples', 'masks', 'probabilities']
