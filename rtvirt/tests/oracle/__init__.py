# SPDX-License-Identifier: Apache-2.0
"""The fit's answers found another way: slow, plain, and without its code.

Only the model's constructors are shared. Rules are written out from their
definition, sets are sets, and searches try everything.
"""
