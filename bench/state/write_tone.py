"""Writes a tone of a second as a WAV file: python3 bench/state/write_tone.py FILE HZ"""

import math
import struct
import sys
import wave

RATE = 8000


def main():
    hz = int(sys.argv[2])
    samples = (round(8000 * math.sin(2 * math.pi * hz * i / RATE)) for i in range(RATE))
    with wave.open(sys.argv[1], "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes(struct.pack(f"<{RATE}h", *samples))


if __name__ == "__main__":
    main()
