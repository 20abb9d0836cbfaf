#include "engine/scenario/user_table.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

namespace jackfield::scenario {

namespace {

std::string at_line(std::string_view place, size_t line) {
  return std::string{place} + ":" + std::to_string(line);
}

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t'))
    s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r'))
    s.remove_suffix(1);
  return s;
}

/// What goes into headers must not end them.
bool is_safe(std::string_view s) {
  return std::none_of(s.begin(), s.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

/// Splits one line; quotes only in RFC 4180 files. Fails on a quote that does not end.
result<std::vector<std::string>> split(const std::string& place, std::string_view line,
                                       char separator, bool quotes) {
  std::vector<std::string> fields;
  for (;;) {
    std::string field;
    if (quotes && !line.empty() && line.front() == '"') {
      line.remove_prefix(1);
      for (;;) {
        const auto quote = line.find('"');
        if (quote == std::string_view::npos)
          return fail(place, "a quoted field does not end, expected a closing \"");
        field += line.substr(0, quote);
        line.remove_prefix(quote + 1);
        if (line.empty() || line.front() != '"')
          break;
        field += '"';
        line.remove_prefix(1);
      }
      if (!line.empty() && line.front() != separator)
        return fail(place, "text after a closing quote, expected a comma");
    } else {
      const auto end = line.find(separator);
      field = trim(line.substr(0, end));
      if (quotes && field.find('"') != std::string::npos)
        return fail(place, "a quote within a field, expected the field in quotes and \"\" for it");
      line.remove_prefix(end == std::string_view::npos ? line.size() : end);
    }
    if (field.size() > user_table::most_field_bytes)
      return fail(place, "a field is longer than 4096 bytes");
    if (!is_safe(field))
      return fail(place, "a field holds a control character");
    fields.push_back(std::move(field));
    if (fields.size() > user_table::most_columns)
      return fail(place, "more than 256 fields");
    if (line.empty())
      return fields;
    line.remove_prefix(1);
  }
}

} // namespace

result<user_table> user_table::read(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose};
  if (!file)
    return fail_errno(path, "cannot be opened", errno);
  std::string text;
  char buffer[65'536];
  for (size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, file.get())) > 0;) {
    text.append(buffer, n);
    if (text.size() > most_bytes)
      return fail(path, "is larger than 1 GiB");
  }
  if (std::ferror(file.get()) != 0)
    return fail_errno(path, "cannot be read", errno);
  return parse(path, text);
}

result<user_table> user_table::parse(std::string_view place, std::string_view text) {
  user_table table;
  bool first = true;
  size_t number = 0;
  if (text.size() > most_bytes)
    return fail(std::string{place}, "is larger than 1 GiB");
  if (text.starts_with("\xef\xbb\xbf"))
    text.remove_prefix(3);
  while (!text.empty()) {
    ++number;
    const auto end = text.find('\n');
    const auto line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || (line.front() == '#' && (table.sipp_ || first)))
      continue;
    const auto here = at_line(place, number);
    if (auto taken = first ? table.take_header(here, line) : table.take_row(here, line); !taken)
      return tl::unexpected{std::move(taken.error())};
    first = false;
  }
  if (table.size() == 0)
    return fail(std::string{place}, "no users, expected at least one row");
  return table;
}

result<void> user_table::take_header(const std::string& here, std::string_view line) {
  const auto kind = line.substr(0, line.find(','));
  const auto rest = line.substr(kind.size());
  if ((kind == "SEQUENTIAL" || kind == "RANDOM" || kind == "USER") &&
      (rest.empty() || rest.starts_with(",PRINTF"))) {
    if (!rest.empty())
      return fail(here, "SIPp's PRINTF options are not supported, expected SEQUENTIAL, RANDOM or "
                        "USER alone");
    sipp_ = true;
    order_ = kind == "RANDOM" ? order::random : order::sequential;
    return {};
  }
  auto names = split(here, line, ',', true);
  if (!names)
    return tl::unexpected{std::move(names.error())};
  for (auto& name : *names) {
    if (name.empty())
      return fail(here, "column " + std::to_string(columns_.size() + 1) + " has no name");
    if (column_index(name))
      return fail(here, "column \"" + name + "\" is named twice");
    columns_.push_back(std::move(name));
  }
  if (!column_index("user"))
    return fail(here, "no column \"user\", expected a first line like \"user,password\"");
  return {};
}

result<void> user_table::take_row(const std::string& here, std::string_view line) {
  auto fields = split(here, line, sipp_ ? ';' : ',', !sipp_);
  if (!fields)
    return tl::unexpected{std::move(fields.error())};
  // SIPp's lines may end in a separator.
  if (sipp_ && fields->size() > 1 && fields->back().empty() &&
      (columns_.empty() || fields->size() == columns_.size() + 1))
    fields->pop_back();
  if (columns_.empty())
    for (size_t i = 0; i < fields->size(); ++i)
      columns_.push_back("field" + std::to_string(i));
  if (fields->size() != columns_.size())
    return fail(here, std::to_string(fields->size()) + " fields, expected " +
                        std::to_string(columns_.size()));
  if ((*fields)[*column_index("user")].empty())
    return fail(here, "the user is empty");
  for (const auto& field : *fields) {
    fields_ += field;
    ends_.push_back(static_cast<uint32_t>(fields_.size()));
  }
  return {};
}

std::optional<size_t> user_table::column_index(std::string_view name) const noexcept {
  if (sipp_ && name == "user")
    return 0;
  if (sipp_ && name == "password" && columns_.size() > 1)
    return 1;
  const auto at = std::find(columns_.begin(), columns_.end(), name);
  if (at == columns_.end())
    return std::nullopt;
  return static_cast<size_t>(at - columns_.begin());
}

std::optional<std::string_view> user_table::field(size_t row,
                                                  std::string_view column) const noexcept {
  const auto at = column_index(column);
  if (!at)
    return std::nullopt;
  const auto index = row * columns_.size() + *at;
  const size_t begin = index == 0 ? 0 : ends_[index - 1];
  return std::string_view{fields_}.substr(begin, ends_[index] - begin);
}

result<std::string> user_table::fill(std::string_view place, std::string_view text,
                                     size_t row) const {
  std::string out;
  for (;;) {
    const auto open = text.find('{');
    out += text.substr(0, open);
    if (open == std::string_view::npos)
      return out;
    text.remove_prefix(open + 1);
    if (text.starts_with('{')) {
      out += '{';
      text.remove_prefix(1);
      continue;
    }
    const auto close = text.find('}');
    if (close == std::string_view::npos)
      return fail(std::string{place}, "a { without }, expected {column}, or {{ for a brace");
    const auto name = text.substr(0, close);
    const auto value = field(row, name);
    if (!value) {
      std::string known;
      for (const auto& c : columns_)
        known += (known.empty() ? "" : ", ") + c;
      return fail(std::string{place},
                  "{" + std::string{name} +
                    "} is no column of the user file, expected one of: " + known);
    }
    out += *value;
    text.remove_prefix(close + 1);
  }
}

} // namespace jackfield::scenario
