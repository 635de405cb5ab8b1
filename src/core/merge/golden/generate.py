"""Writes the golden vectors, or checks the methods against a folder of them (--check FOLDER). See README.md."""

import argparse
import sys

from compare import check


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--check', metavar='FOLDER')
    arguments = parser.parse_args()
    if arguments.check:
        sys.exit(1 if check(arguments.check) else 0)


if __name__ == '__main__':
    main()
