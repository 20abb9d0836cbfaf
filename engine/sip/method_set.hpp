#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "engine/sip/method.hpp"

namespace jackfield::sip {

class method_set {
public:
  constexpr method_set() = default;
  constexpr method_set(std::initializer_list<method> methods) noexcept {
    for (auto m : methods)
      bits_ |= bit(m);
  }

  [[nodiscard]] constexpr bool has(method m) const noexcept {
    return m != method::unknown && (bits_ & bit(m)) != 0;
  }
  /// "INVITE, ACK": the value of Allow.
  [[nodiscard]] std::string to_string() const;

private:
  static constexpr uint32_t bit(method m) noexcept { return 1U << static_cast<unsigned>(m); }

  uint32_t bits_ = 0;
};

/// What our legs handle within a dialog: the one source of every Allow that they send and of every
/// 405. A profile may name more, where the legs' user answers it (REFER).
inline constexpr method_set allowed_methods{method::invite, method::ack,     method::bye,
                                            method::cancel, method::options, method::prack,
                                            method::update, method::info,    method::message};

/// What our endpoints handle out of dialog, before anybody adds to it.
inline constexpr method_set allowed_out_of_dialog{
  method::invite, method::ack, method::bye, method::cancel, method::options, method::register_};

/// A set with its text, for messages are many.
class allow_list {
public:
  allow_list(method_set methods) : methods_(methods), text_(methods.to_string()) {}

  [[nodiscard]] bool has(method m) const noexcept { return methods_.has(m); }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
  method_set methods_;
  std::string text_;
};

} // namespace jackfield::sip
