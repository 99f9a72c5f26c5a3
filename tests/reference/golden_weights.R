# Writes golden/weights.json: the weights family on the relapsed myeloma cohort. Every estimand, stabilised and truncated
# weights: sums, quantiles on the grid of 0.01, equipoise, and weighted treatment-only models with the error of the
# estimated propensity. d w / d eta and d w / d p are numeric (central differences, one Richardson step), so that no
# derivative is written down; printed is the distance to an infinitesimal jackknife that refits everything, row by row.
# Usage, from this folder: Rscript golden_weights.R   (needs what golden.R needs; about a minute)
source("golden_functions.R")
all <- read.csv("relapsed-myeloma-596.csv", na.strings = ""); d <- all[!is.na(all$fish), ]; a <- as.integer(d$regimen == "IsaPd"); n <- length(a)
Z <- model.matrix(~ age + factor(sex, c("M", "F")) + crcl + factor(iss_stage) + ldh_high + I(1 - dara_refr) + I(1 - asct) + I(fish == "high"), d); Z <- cbind(1, scale(Z[, -1]))
logit <- function(c, start = NULL) suppressWarnings(glm.fit(Z, a, weights = c, family = binomial(), start = start, control = tight_glm))
ps <- logit(rep(1, n)); eta <- drop(Z %*% coef(ps)); p <- mean(a); e <- plogis(eta)

# ---- weights, as functions of the linear predictor and the treated share ----
raw <- list(ate = function(e, p) ifelse(a == 1, 1 / e, 1 / (1 - e)), ate_stabilised = function(e, p) ifelse(a == 1, p / e, (1 - p) / (1 - e)), att = function(e, p) ifelse(a == 1, 1, e / (1 - e)), atc = function(e, p) ifelse(a == 1, (1 - e) / e, 1),
  ato = function(e, p) ifelse(a == 1, 1 - e, e), atm = function(e, p) pmin(e, 1 - e) / ifelse(a == 1, e, 1 - e))
on_grid <- function(w) floor(w * 100 + .5) / 100
quantiles <- function(w, at, type) unname(quantile(on_grid(w), at, type = type))
clamped <- function(f, type) { b <- quantiles(f(e, p), c(.01, .99), type); list(raw = f, bounds = b, weight = function(e, p) pmin(pmax(f(e, p), b[1]), b[2])) }
schemes <- lapply(raw, function(f) list(weight = f))
for (type in c(3, 7)) { schemes[[paste0("ate_truncated_type", type)]] <- clamped(raw$ate, type); schemes[[paste0("ate_stabilised_truncated_type", type)]] <- clamped(raw$ate_stabilised, type) }

h <- 1e-4
derivative <- function(f, step = h) { r <- function(h) (f(h) - f(-h)) / (2 * h); (4 * r(step / 2) - r(step)) / 3 }
# No row lies within a step of a kink (e = 1/2, or a bound): there central differences would mix both sides.
stopifnot(min(abs(eta)) > h); for (s in schemes) if (!is.null(s$bounds)) stopifnot(min(abs(log(outer(s$raw(e, p), s$bounds, "/")))) > h)

# ---- sums, quantiles, positivity ----
probabilities <- c(.01, .05, .25, .5, .75, .95, .99)
describe <- function(w) list(sum = list(control = sum(w[a == 0]), treated = sum(w[a == 1])), sum_squares = list(control = sum(w[a == 0]^2), treated = sum(w[a == 1]^2)), ess = list(control = sum(w[a == 0])^2 / sum(w[a == 0]^2), treated = sum(w[a == 1])^2 / sum(w[a == 1]^2)),
  probabilities = probabilities, type3 = quantiles(w, probabilities, 3), type7 = quantiles(w, probabilities, 7), largest = max(on_grid(w)))
truncated <- function(s) { f <- s$raw(e, p); count <- function(k) list(below = sum(f[a == k] < s$bounds[1]), above = sum(f[a == k] > s$bounds[2])); list(bounds = s$bounds, control = count(0), treated = count(1)) }
preference <- plogis(eta - qlogis(p))
overlap <- lapply(list(control = 0, treated = 1), function(k) list(rows = sum(a == k), equipoise = sum(preference[a == k] >= .3 & preference[a == k] <= .7), equipoise_share = mean(preference[a == k] >= .3 & preference[a == k] <= .7), below = sum(e[a == k] < .05), above = sum(e[a == k] > .95)))

# ---- outcome models: influence of row i = bread (w L + G A^-1 s + G_p (a - p) / n) ----
time <- d$pfs_days; status <- d$pfs_event; y <- d$response; X <- cbind(1, a)
cox_fit <- function(w) coxph(Surv(time, status) ~ a, weights = w, robust = TRUE, ties = "efron", control = tight_cox)
glm_fit <- function(w, start = NULL) suppressWarnings(glm.fit(X, y, weights = w, family = binomial(), start = start, control = tight_glm))
influence <- function(s, L, bread) { w <- s$weight(e, p); dw <- derivative(function(h) s$weight(plogis(eta + h), p)); dp <- derivative(function(h) s$weight(e, p + h))
  psi <- w * L + ((a - e) * Z) %*% solve(crossprod(Z, e * (1 - e) * Z), t(crossprod(L, dw * Z))) + outer((a - p) / n, colSums(L * dp)); psi %*% bread }
refit <- function(s, fit, start) { column <- function(i) derivative(function(t) { c <- rep(1, n); c[i] <- 1 + t; f <- logit(c, coef(ps)); fit(c * s$weight(plogis(drop(Z %*% coef(f))), sum(c * a) / sum(c)), start) }, 1e-3); t(sapply(1:n, column)) }
models <- function(name) { s <- schemes[[name]]; w <- s$weight(e, p)
  f <- glm_fit(w); mu <- plogis(drop(X %*% coef(f))); B <- solve(crossprod(X, w * mu * (1 - mu) * X)); L <- (y - mu) * X; psi <- influence(s, L, B)
  binary <- list(intercept = unname(coef(f)[1]), estimate = unname(coef(f)[2]), se_naive = sqrt(B[2, 2]), se_robust = sqrt(sum(((w * L) %*% B)[, 2]^2)), se_m_estimation = sqrt(sum(psi[, 2]^2)))
  k <- cox_fit(w); L <- cbind(residuals(k, type = "score")); infl <- influence(s, L, drop(k$naive.var))
  survival <- list(estimate = unname(coef(k)), se_naive = sqrt(drop(k$naive.var)), se_robust = sqrt(drop(k$var)), se_m_estimation = sqrt(sum(infl^2)))
  full_glm <- sqrt(sum(refit(s, function(w, start) coef(glm_fit(w, start)), coef(f))[, 2]^2)); full_cox <- sqrt(sum(refit(s, function(w, start) coef(cox_fit(w)), coef(k))^2))
  cat(sprintf("%s: relative distance to full refits: response %.1e, pfs %.1e\n", name, abs(full_glm / binary$se_m_estimation - 1), abs(full_cox / survival$se_m_estimation - 1)))
  c(describe(w), if (!is.null(s$bounds)) list(truncation = truncated(s)), list(response = binary, pfs_day = survival)) }
save_json(list(overlap = overlap, schemes = sapply(names(schemes), models, simplify = FALSE)), "weights")
