"""From what was given to the lines of the claim, one file a step, in the fixed order that `charge` names.

Every step reads the draft, changes its entries and says why; no step knows another.
"""
