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
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "rb"),
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
  bool sipp = false;
  bool first = true;
  size_t number = 0;
  if (text.starts_with("\xef\xbb\xbf"))
    text.remove_prefix(3);
  while (!text.empty()) {
    ++number;
    const auto end = text.find('\n');
    const auto line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || (line.front() == '#' && (sipp || first)))
      continue;
    const auto here = at_line(place, number);
    if (first) {
      first = false;
      const auto kind = line.substr(0, line.find(','));
      if (kind == "SEQUENTIAL" || kind == "RANDOM" || kind == "USER") {
        sipp = true;
        if (kind != line)
          return fail(here, "SIPp's PRINTF options are not supported, expected SEQUENTIAL, RANDOM "
                            "or USER alone");
        table.order_ = kind == "RANDOM" ? order::random : order::sequential;
        continue;
      }
      auto names = split(here, line, ',', true);
      if (!names)
        return tl::unexpected{std::move(names.error())};
      table.columns_ = std::move(*names);
      for (size_t i = 0; i < table.columns_.size(); ++i) {
        const auto& name = table.columns_[i];
        if (name.empty())
          return fail(here, "column " + std::to_string(i + 1) + " has no name");
        if (std::find(table.columns_.begin(), table.columns_.begin() + static_cast<long>(i),
                      name) != table.columns_.begin() + static_cast<long>(i))
          return fail(here, "column \"" + name + "\" is named twice");
      }
      if (std::find(table.columns_.begin(), table.columns_.end(), "user") == table.columns_.end())
        return fail(here, "no column \"user\", expected a first line like \"user,password\"");
      continue;
    }
    auto fields = split(here, line, sipp ? ';' : ',', !sipp);
    if (!fields)
      return tl::unexpected{std::move(fields.error())};
    // SIPp's lines may end in a separator.
    if (sipp && fields->size() > 1 && fields->back().empty())
      fields->pop_back();
    if (sipp && table.columns_.empty())
      for (size_t i = 0; i < fields->size(); ++i)
        table.columns_.push_back("field" + std::to_string(i));
    if (fields->size() != table.columns_.size())
      return fail(here, std::to_string(fields->size()) + " fields, expected " +
                          std::to_string(table.columns_.size()));
    table.rows_.push_back(std::move(*fields));
    const auto user = table.field(table.rows_.size() - 1, "user");
    if (!user || user->empty())
      return fail(here, "the user is empty");
  }
  if (table.rows_.empty())
    return fail(std::string{place}, "no users, expected at least one row");
  return table;
}

std::optional<std::string_view> user_table::field(size_t row,
                                                  std::string_view column) const noexcept {
  auto at = std::find(columns_.begin(), columns_.end(), column);
  if (at == columns_.end() && !columns_.empty() && columns_.front() == "field0") {
    if (column == "user")
      at = columns_.begin();
    else if (column == "password" && columns_.size() > 1)
      at = columns_.begin() + 1;
  }
  if (at == columns_.end())
    return std::nullopt;
  return rows_[row][static_cast<size_t>(at - columns_.begin())];
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
    const auto name = text.substr(0, close);
    const auto value = close == std::string_view::npos ? std::nullopt : field(row, name);
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
