# Writes golden/survival.json: what the two-arm table gives beyond golden.R. Small curves at the edges (events on day 0,
# a curve at exactly .5, a curve that ends at 0, none that moves), and weighted estimators on the relapsed myeloma cohort.
# Usage, from this folder: Rscript golden_survival.R   (Debian's r-cran-survival, r-cran-survey, r-cran-sandwich, r-cran-jsonlite)
source("golden_functions.R")

# ---- one curve: survfit in every interval type, restricted means from survmean and from jackknife residuals ----
curve <- function(time, event, w = rep(1, length(time)), horizons) { times <- 0:(max(time) + 1); out <- list(time = time, event = event, w = w, horizons = horizons, times = times)
  for (ct in c("log", "log-log", "plain")) { f <- survfit(Surv(time, event) ~ 1, weights = w, conf.type = ct); s <- summary(f, times = times, extend = TRUE); tb <- summary(f)$table
    out[[gsub("-", "_", ct)]] <- list(median = unname(tb["median"]), conf_low = unname(tb["0.95LCL"]), conf_high = unname(tb["0.95UCL"]), survival = s$surv, std_err = s$std.err, lower = s$lower, upper = s$upper, n_risk = s$n.risk, n_event = s$n.event, n_censor = s$n.censor) }
  f <- survfit(Surv(time, event) ~ 1, weights = w)
  out$rmst <- sapply(horizons, function(h) unname(summary(f, rmean = h)$table["rmean"]))
  out$rmst_se <- if (all(w == 1)) sapply(horizons, function(h) unname(summary(f, rmean = h)$table["se(rmean)"])) else sapply(horizons, function(h) rmst_jackknife(time, event, w, h))
  out }

# Infinitesimal jackknife of the area under a weighted curve: numeric derivative of the area in each weight.
area <- function(time, event, w, h) { s <- 1; last <- 0; a <- 0; for (t in sort(unique(time[time <= h]))) { a <- a + s * (t - last); last <- t; s <- s * (1 - sum(w[time == t & event == 1]) / sum(w[time >= t])) }; a + s * (h - last) }
rmst_jackknife <- function(time, event, w, h) sqrt(sum(sapply(seq_along(time), function(i) { d <- function(e) { v <- w; v[i] <- w[i] * (1 + e); area(time, event, v, h) }; e <- 1e-3; r <- function(e) (d(e) - d(-e)) / (2 * e); x <- c(r(e), r(e / 2), r(e / 4)); y <- (4 * x[-1] - x[-3]) / 3; (16 * y[2] - y[1]) / 15 })^2))

# Weighted log-rank of Xie & Liu (2005), row by row. With weights of 1 it is survdiff.
xie_liu <- function(time, event, a, w) { o <- 0; v <- 0; for (t in sort(unique(time[event == 1]))) { r <- time >= t; n <- sum(r); d <- sum(time == t & event == 1); r1 <- sum(w[r & a == 1]); r0 <- sum(w[r & a == 0]); dw <- sum(w[time == t & event == 1])
  o <- o + sum(w[time == t & event == 1 & a == 1]) - r1 * dw / (r0 + r1)
  if (n > 1) v <- v + d * (n - d) / (n * (n - 1)) * sum(w[r]^2 * ifelse(a[r] == 1, r0, r1)^2) / (r0 + r1)^2 }
  list(difference = o, variance = v, chisq = o^2 / v, p = pchisq(o^2 / v, 1, lower.tail = FALSE)) }

u <- c(.7, 1.3, 2.2, .4, 1.1, .9, 1.6, .5)
curves <- list(
  day_zero = list(c(0, 0, 1, 2, 2, 3), c(1, 0, 1, 1, 0, 1), c(1.5, 2, 3, 5)),
  half = list(c(1, 2, 3, 4), c(1, 1, 1, 1), c(1, 2.5, 4, 6)),
  half_to_the_end = list(c(1, 2, 5, 6), c(1, 1, 0, 0), c(1, 2.5, 6, 8)),
  censored_first = list(c(1, 2, 3, 3, 5, 5, 7, 8), c(0, 1, 1, 0, 1, 1, 0, 1), c(2.5, 5, 8, 9)),
  no_event = list(c(2, 3, 3), c(0, 0, 0), c(2, 4)),
  one_row = list(3, 1, c(3, 5)))
out <- list(curves = lapply(curves, function(k) curve(k[[1]], k[[2]], horizons = k[[3]])), weighted = lapply(curves, function(k) curve(k[[1]], k[[2]], u[seq_along(k[[1]])], k[[3]])))

# ---- the relapsed myeloma cohort, weighted ----
all <- read.csv("relapsed-myeloma-596.csv", na.strings = ""); d <- all[!is.na(all$fish), ]; a <- as.integer(d$regimen == "IsaPd")
Z <- model.matrix(~ age + factor(sex, c("M", "F")) + crcl + factor(iss_stage) + ldh_high + I(1 - dara_refr) + I(1 - asct) + I(fish == "high"), d)
e <- fitted(glm(a ~ Z - 1, binomial, control = tight_glm)); w <- ifelse(a == 1, mean(a) / e, (1 - mean(a)) / (1 - e))
out$cohort <- lapply(list(day = 1, month = 30.4375), function(grid) lapply(list(pfs = c("pfs_days", "pfs_event"), os = c("os_days", "death")), function(o) { t <- ceiling(d[[o[1]]] / grid); s <- d[[o[2]]]; h <- if (grid == 1) 730 else 24
  rmst <- lapply(c(control = 0, treated = 1), function(k) { k <- a == k; c(area(t[k], s[k], w[k], h), rmst_jackknife(t[k], s[k], w[k], h)) })
  f <- coxph(Surv(t, s) ~ a, weights = w, robust = TRUE, ties = "breslow", control = tight_cox)
  list(rmst_weighted = rmst, log_rank_weighted = xie_liu(t, s, a, w), cox_breslow_weighted = list(estimate = unname(coef(f)), se_naive = sqrt(drop(f$naive.var)), se_robust = sqrt(drop(f$var)), loglik = f$loglik)) }))
save_json(out, "survival")
