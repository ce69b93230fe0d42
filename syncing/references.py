"""The short reference people read out on the phone, such as RB-7K3Q. Pure."""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O or U to misread
_SHORTEST = 4
_STEP = 0x9E3779B1  # odd, so multiplying by it permutes every power of two


def speakable(number: int) -> str:
    """The reference of an item's number. Different numbers never share one (R-75)."""
    length = _SHORTEST
    while number >= 32**length:
        length += 1
    scrambled = number * _STEP % 32**length
    digits = [_ALPHABET[scrambled >> 5 * place & 31] for place in reversed(range(length))]
    return "RB-" + "".join(digits)


def number_of(reference: str) -> int | None:
    """The item's number behind a reference, however it was typed; None if it is not one."""
    text = reference.strip().upper().removeprefix("RB").lstrip("- ")
    text = text.translate(str.maketrans("OIL", "011"))
    if len(text) < _SHORTEST or any(letter not in _ALPHABET for letter in text):
        return None
    scrambled = 0
    for letter in text:
        scrambled = scrambled * 32 + _ALPHABET.index(letter)
    modulus = 32 ** len(text)
    number = scrambled * pow(_STEP, -1, modulus) % modulus
    return number if speakable(number).endswith(text) else None
