// Keeps the annotator's name for a year, so that the next visit without it in the address knows it.
export default function ({ data }) {
  if (!data.name) return;
  const value = encodeURIComponent(data.name);
  document.cookie = `${data.cookie}=${value}; path=/; max-age=31536000; SameSite=Strict`;
}
