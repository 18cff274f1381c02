// SPDX-License-Identifier: Apache-2.0
import type { WriteStream } from "node:tty";

/** Where the demo speaks: sentences that stay, and on a terminal a picture below them that is redrawn in place. */
export interface Screen {
  say: (sentence: string) => void;
  draw: (picture: readonly string[]) => void;
  /** Leaves the last picture as it is and gives the cursor back. */
  end: () => void;
}

const ESC = "\u001B[";
const sgr = new RegExp(`${ESC.replace("[", "\\[")}[0-9;]*m`, "g");

/** Cuts a line at the terminal's width, so that one line of the picture is one line on the screen. */
export function fit(line: string, columns: number): string {
  const plain = plainOf(line);
  return plain.length < columns ? line : `${plain.slice(0, Math.max(0, columns - 1))}…`;
}

function plainOf(line: string): string {
  return line.replaceAll(sgr, "");
}

/** Draws on a terminal; elsewhere (a pipe, a log, CI) only the sentences appear. */
export function createScreen(out: NodeJS.WriteStream | WriteStream): Screen {
  const { isTTY } = out;
  let drawn: readonly string[] = [];
  // A terminal that became narrower has wrapped what was drawn.
  const height = (): number =>
    drawn.reduce((rows, line) => rows + Math.max(1, Math.ceil(plainOf(line).length / out.columns)), 0);
  const erase = (): string => (drawn.length === 0 ? "" : `${ESC}${height()}F${ESC}0J`);
  const paint = (picture: readonly string[]): string => picture.map((line) => `${line}\n`).join("");
  return {
    say: (sentence) => {
      out.write(isTTY ? erase() + paint([sentence, ...drawn]) : `${sentence}\n`);
    },
    draw: (picture) => {
      if (!isTTY) return;
      const lines = picture.slice(0, Math.max(1, out.rows - 2)).map((line) => fit(line, out.columns));
      out.write(`${erase()}${drawn.length === 0 ? `${ESC}?25l` : ""}${paint(lines)}`);
      drawn = lines;
    },
    end: () => {
      if (isTTY && drawn.length > 0) out.write(`${ESC}?25h`);
      drawn = [];
    },
  };
}
