# Writes golden/imputation.json: scenarios with imputed covariates. Given the variates and the imputed values that the test
# harness writes (tests/tests/all/resampling.rs; golden/imputation_<study>_{values,variates}.csv), R computes the drawn
# coefficients of every imputation model, fits every completed data set and pools with mice::pool.scalar.
# Usage, from this folder: Rscript golden_imputation.R   (Debian's r-cran-mice besides the packages of golden.R)
source("golden_functions.R")
tight <- function(formula, data) { environment(formula) <- environment(); f <- glm(formula, binomial, data, control = tight_glm); suppressWarnings(glm(formula, binomial, data, start = coef(f), control = list(epsilon = 1e-300, maxit = 2))) }
own <- function(t, s) { f <- survfit(Surv(t, s) ~ 1); f$cumhaz[match(t, f$time)] }
columns <- function(d) cbind(a = d$a, age = d$age, female = as.integer(d$sex == "F"), crcl = d$crcl, iss2 = as.integer(d$iss_stage == "II"), iss3 = as.integer(d$iss_stage == "III"), ldh_high = d$ldh_high, dara_no = 1 - d$dara_refr, asct_no = 1 - d$asct, fish_high = as.integer(d$fish == "high"),
  pfs_event = d$pfs_event, pfs_hazard = own(d$pfs_days, d$pfs_event), os_event = d$death, os_hazard = own(d$os_days, d$death), response = d$response)
of <- list(fish = "fish_high", iss_stage = c("iss2", "iss3"), crcl = "crcl"); levels_of <- list(fish = c("standard", "high"), iss_stage = c("I", "II", "III"))
rhs <- "age + sex + crcl + iss_stage + ldh_high + dara_no + asct_no + fish"

# Coefficients for columns centred at the mean of what is observed: those before `variable` in `order` are imputed.
drawn <- function(observed, d, order, variable, variates) {
  X <- columns(d); X <- X[, !colnames(X) %in% unlist(of[order[match(variable, order):length(order)]])]
  X <- cbind(1, sweep(X, 2, colMeans(columns(observed)[, colnames(X)], na.rm = TRUE)))
  seen <- !is.na(observed[[variable]]); y <- observed[[variable]][seen]; X <- X[seen, ]
  around <- function(b, V, z) unname(b + drop(t(chol(V)) %*% z))
  if (is.numeric(y)) { f <- lm(y ~ X - 1); sigma <- sqrt(deviance(f) / variates$value[variates$kind == "chi_square"]); return(c(around(coef(f), summary(f)$cov.unscaled, sigma * variates$value[variates$kind == "z"]), sigma)) }
  unlist(lapply(head(seq_along(levels_of[[variable]]), -1), function(l) { s <- match(y, levels_of[[variable]]) >= l
    D <- list(y = as.integer(y[s] == levels_of[[variable]][l]), X = X[s, ]); f <- tight(y ~ X - 1, D); around(coef(f), summary(f)$cov.unscaled, variates$value[variates$level == l - 1])}))
}
fits <- function(d) { d$dara_no <- 1 - d$dara_refr; d$asct_no <- 1 - d$asct; d$sex <- factor(d$sex, c("M", "F")); d$iss_stage <- factor(d$iss_stage); d$fish <- factor(d$fish, c("standard", "high"))
  ps <- tight(as.formula(paste("a ~", rhs)), d); e <- fitted(ps); Z <- model.matrix(ps); p <- mean(d$a); w <- ifelse(d$a == 1, p / e, (1 - p) / (1 - e))
  adjusted <- function(f, V) list(estimate = unname(coef(f)), naive = unname(sqrt(diag(V))))
  survival <- function(time, event) { d$t <- d[[time]]; d$s <- d[[event]]; c1 <- iptw_cox(Surv(d$t, d$s), d$a, Z, w, e, TRUE); f <- coxph(as.formula(paste("Surv(t, s) ~ a +", rhs)), d, control = tight_cox)
    list(iptw = list(estimate = c1$estimate, naive = c1$se_naive, robust = c1$se_robust, m_estimation = c1$se_m_estimation), adjusted = adjusted(f, f$var)) }
  l <- iptw_glm(d$response, d$a, Z, w, e, TRUE); f <- tight(as.formula(paste("response ~ a +", rhs)), d)
  list(propensity = list(propensity = adjusted(ps, summary(ps)$cov.unscaled)), pfs = survival("pfs_days", "pfs_event"), os = survival("os_days", "death"),
    response = list(iptw = list(estimate = l$log_odds_ratio, naive = l$se_naive, robust = l$se_hc0, m_estimation = l$se_m_estimation), adjusted = adjusted(f, summary(f)$cov.unscaled))) }
# Rubin's rules for every coefficient and variance of one model; k coefficients (the weighted logistic model has an intercept).
pooled <- function(models, n, k) { Q <- do.call(rbind, lapply(models, `[[`, "estimate"))
  one <- function(q, u) { s <- mice::pool.scalar(q, u, n, k); c(estimate = s$qbar, std_error = sqrt(s$t), df = s$df, fmi = s$fmi, statistic = s$qbar / sqrt(s$t), p_value = 2 * pt(abs(s$qbar) / sqrt(s$t), s$df, lower.tail = FALSE), conf_low = s$qbar - qt(.975, s$df) * sqrt(s$t), conf_high = s$qbar + qt(.975, s$df) * sqrt(s$t)) }
  sapply(setdiff(names(models[[1]]), "estimate"), function(v) { U <- do.call(rbind, lapply(models, `[[`, v))^2; lapply(as.list(as.data.frame(t(sapply(seq_len(ncol(Q)), function(j) one(Q[, j], U[, j]))))), I) }, simplify = FALSE) }

study <- function(name, order) {
  d <- read.csv("relapsed-myeloma-596.csv", na.strings = ""); d$a <- as.integer(d$regimen == "IsaPd")
  values <- read.csv(paste0("golden/imputation_", name, "_values.csv")); variates <- read.csv(paste0("golden/imputation_", name, "_variates.csv"))
  # A line of values stands for one missing value: what the harness took away from the file is missing here.
  lost <- unique(values[, c("patient", "variable")]); for (v in order) d[[v]][d$patient %in% lost$patient[lost$variable == v]] <- NA
  draws <- lapply(sort(unique(values$draw)), function(m) { x <- d; coefficients <- list()
    for (v in order) { coefficients[[v]] <- drawn(d, x, order, v, variates[variates$draw == m & variates$variable == v, ])
      new <- values[values$draw == m & values$variable == v, ]; x[[v]][match(new$patient, x$patient)] <- if (is.numeric(d[[v]])) as.numeric(new$value) else new$value }
    stopifnot(!anyNA(x[, order])); list(coefficients = coefficients, fits = fits(x)) })
  all <- lapply(draws, `[[`, "fits"); model <- function(o, m) lapply(all, function(f) f[[o]][[m]]); events <- c(pfs = sum(d$pfs_event), os = sum(d$death)); p <- length(all[[1]]$response$adjusted$estimate)
  list(coefficients = lapply(draws, `[[`, "coefficients"), propensity = list(propensity = pooled(model("propensity", "propensity"), nrow(d), p - 1)),
    pfs = list(iptw = pooled(model("pfs", "iptw"), events[["pfs"]], 1), adjusted = pooled(model("pfs", "adjusted"), events[["pfs"]], p - 1)),
    os = list(iptw = pooled(model("os", "iptw"), events[["os"]], 1), adjusted = pooled(model("os", "adjusted"), events[["os"]], p - 1)),
    response = list(iptw = pooled(model("response", "iptw"), nrow(d), 2), adjusted = pooled(model("response", "adjusted"), nrow(d), p))) }
save_json(list(fish = study("fish", "fish"), three = study("three", c("crcl", "iss_stage", "fish"))), "imputation")
