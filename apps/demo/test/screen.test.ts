// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { createScreen, fit } from "../src/screen.ts";

function terminal(isTTY: boolean) {
  let text = "";
  const out = { isTTY, columns: 20, rows: 10, write: (chunk: string) => ((text += chunk), true) };
  const narrow = (columns: number): void => void (out.columns = columns);
  return { screen: createScreen(out as unknown as NodeJS.WriteStream), text: () => text, narrow };
}

test("without a terminal only sentences appear, and no escape codes", () => {
  const { screen, text } = terminal(false);
  screen.say("one");
  screen.draw(["picture"]);
  screen.end();
  expect(text()).toBe("one\n");
});

test("a picture is redrawn in place: it goes up by as many lines as it has", () => {
  const { screen, text } = terminal(true);
  screen.draw(["a", "b"]);
  screen.draw(["c"]);
  expect(text()).toBe("\u001B[?25la\nb\n\u001B[2F\u001B[0Jc\n");
  screen.end();
  expect(text().endsWith("\u001B[?25h")).toBe(true);
});

test("a picture that wraps, since the terminal became narrower, is redrawn in place, too", () => {
  const { screen, text, narrow } = terminal(true);
  screen.draw(["\u001B[31m123456789012345\u001B[0m", "", "b"]);
  narrow(6); // three lines, one, one
  screen.draw(["c"]);
  expect(text().endsWith("\u001B[5F\u001B[0Jc\n")).toBe(true);
});

test("a sentence goes above the picture", () => {
  const { screen, text } = terminal(true);
  screen.draw(["picture"]);
  screen.say("sentence");
  expect(text().endsWith("\u001B[1F\u001B[0Jsentence\npicture\n")).toBe(true);
});

test("a line that is too long is cut, since a wrapped one would break the redraw", () => {
  expect(fit("x".repeat(30), 20)).toBe(`${"x".repeat(19)}…`);
  expect(fit("\u001B[31mred\u001B[0m", 20)).toBe("\u001B[31mred\u001B[0m");
});
