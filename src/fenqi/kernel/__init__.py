"""The pure floor: money, time, ids, states, reasons and the numbers of law. Imports nothing of fenqi, does no I/O."""
