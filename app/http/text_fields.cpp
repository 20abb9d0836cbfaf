#include "app/http/text_fields.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "app/http/target.hpp"

namespace jackfield::http {

namespace {

using nlohmann::json;

constexpr size_t longest_text = 256;

/// "application/json", with parameters or without; case does not matter.
bool is_json(std::string_view content_type) {
  std::string type{content_type.substr(0, content_type.find(';'))};
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t'))
    type.pop_back();
  std::ranges::transform(type, type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return type == "application/json";
}

/// Stops at the first thing that is not as it has to be: no depth, and no member twice.
class fields_reader final : public nlohmann::json_sax<json> {
public:
  explicit fields_reader(std::span<const std::string_view> known) : known_(known) {}

  bool null() override { return other("null"); }
  bool boolean(bool /*value*/) override { return other("a boolean"); }
  bool number_integer(number_integer_t /*value*/) override { return other("a number"); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return other("a number"); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override {
    return other("a number");
  }
  bool binary(binary_t& /*value*/) override { return other("binary"); }
  bool start_array(size_t /*size*/) override { return other("a list"); }
  bool end_array() override { return true; }
  bool start_object(size_t /*size*/) override {
    return std::exchange(inside_, true) ? other("an object") : true;
  }
  bool end_object() override { return true; }

  bool key(string_t& name) override {
    if (std::ranges::find(known_, std::string_view{name}) == known_.end()) {
      std::string all;
      for (const auto each : known_)
        all.append(all.empty() ? "" : ", ").append(each);
      return wrong("is unknown, expected one of " + all, name);
    }
    if (made.contains(name))
      return wrong("is there twice", name);
    name_ = name;
    return true;
  }

  bool string(string_t& value) override {
    if (!inside_)
      return other("a text");
    if (value.size() > longest_text)
      return wrong("is longer than 256 bytes", name_);
    if (!is_plain_text(value))
      return wrong("has control characters, expected none", name_);
    made.emplace(name_, std::move(value));
    return true;
  }

  bool parse_error(size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*why*/) override {
    return wrong("the body is no JSON: byte " + std::to_string(position), {});
  }

  std::map<std::string, std::string> made;
  std::optional<answer> fault;

private:
  bool other(const char* what) {
    return inside_ ? wrong(std::string{"is "} + what + ", expected a text", name_)
                   : wrong(std::string{"the body is "} + what + ", expected an object", {});
  }
  bool wrong(const std::string& why, std::string_view field) {
    if (!fault)
      fault = problem(400, why, field.substr(0, longest_text));
    return false;
  }

  std::span<const std::string_view> known_;
  std::string name_;
  bool inside_ = false;
};

} // namespace

tl::expected<std::map<std::string, std::string>, answer>
read_text_fields(const request& from, std::span<const std::string_view> known) {
  if (!is_json(from.content_type))
    return tl::unexpected{problem(415, "expected application/json", "Content-Type")};
  fields_reader reader{known};
  if (!json::sax_parse(from.body, &reader) && !reader.fault)
    reader.fault = problem(400, "the body is no JSON");
  if (reader.fault)
    return tl::unexpected{std::move(*reader.fault)};
  return std::move(reader.made);
}

} // namespace jackfield::http
