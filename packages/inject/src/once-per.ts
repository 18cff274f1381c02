// SPDX-License-Identifier: Apache-2.0

/**
 * Makes a function of one object run once for each object. Right only where the object never changes, as those in a
 * cache of the API server's objects do not; the result is shared, so nobody may change it either.
 */
export function oncePer<K extends object, V>(compute: (object: K) => V): (object: K) => V {
  const results = new WeakMap<K, { value: V }>();
  return (object) => {
    const known = results.get(object);
    if (known !== undefined) return known.value;
    const value = compute(object);
    results.set(object, { value });
    return value;
  };
}
