// Waits with a bound. Serves the pages and the driver alike.

// What `promise` gives; an error that names `what` if that takes longer than `seconds`.
export async function within(seconds, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${seconds} s in vain for ${what}`)), seconds * 1000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// The first value of `look()` that `enough(value)` accepts. For what no event tells of: it looks every
// 100 ms, and in the error it says what it saw last.
export async function poll(seconds, what, look, enough) {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const value = await look();
    if (enough(value)) return value;
    if (performance.now() > end) {
      throw new Error(`waited ${seconds} s in vain for ${what}; last seen: ${JSON.stringify(value)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
